import { Code, type ConnectError, type ContextKey, createContextKey } from '@connectrpc/connect';
import { messageOf } from '../../platform/errors.ts';
import { reasonOf, violationsOf } from '../../platform/grpc/status.ts';
import type { Logger } from '../../platform/logger.ts';

/** What is known of one call while it runs, and the one line that is logged when it is over. */
export class CallRecord {
  readonly requestId: string;
  readonly rpc: string;
  /** Who connected, as far as that can be known; for limits and logs. */
  readonly address: string;
  readonly #startMs: number;
  readonly #releases: (() => void)[] = [];
  #over = false;
  #error: ConnectError | undefined;
  #caller: { readonly account: string; readonly subject: string; readonly tokenId: string } | undefined;

  constructor(facts: { requestId: string; rpc: string; address: string; nowMs: number }) {
    this.requestId = facts.requestId;
    this.rpc = facts.rpc;
    this.address = facts.address;
    this.#startMs = facts.nowMs;
  }

  calledBy(caller: { readonly account: string; readonly subject: string; readonly tokenId: string }): void {
    this.#caller = caller;
  }

  /** Remembers the error that the call ends with; the first one is the cause. Returns it, to be thrown. */
  failedWith(error: ConnectError): ConnectError {
    this.#error ??= error;
    return error;
  }

  /** Runs `release` when the call is over, however it ends; at once when the caller has gone away meanwhile. */
  onEnd(release: () => void): void {
    if (this.#over) release();
    else this.#releases.push(release);
  }

  /** Gives back what the call held and logs it. `complete` is false when the caller went away before the answer was out. */
  end(facts: {
    readonly nowMs: number;
    readonly complete: boolean;
    readonly httpStatus: number;
    readonly logger: Logger;
  }): void {
    this.#over = true;
    for (const release of this.#releases.splice(0)) release();
    const line = {
      rpc: this.rpc,
      code: this.#code(facts.complete, facts.httpStatus),
      ms: Math.round(facts.nowMs - this.#startMs),
      requestId: this.requestId,
      ...(this.#caller ?? { address: this.address }),
      ...(this.#error === undefined ? {} : causeOf(this.#error)),
    };
    facts.logger[this.#level()](line, 'rpc');
  }

  #code(complete: boolean, httpStatus: number): string {
    if (this.#error !== undefined) return codeName(this.#error.code);
    if (!complete) return codeName(Code.Canceled);
    return httpStatus < 400 ? 'OK' : `HTTP_${httpStatus}`;
  }

  #level(): 'debug' | 'info' | 'warn' {
    // Load balancers ask every second: their questions are not worth a line each.
    if (this.#error === undefined) return this.rpc.startsWith('grpc.health.') ? 'debug' : 'info';
    return this.#error.code === Code.Internal || this.#error.code === Code.Unavailable ? 'warn' : 'info';
  }
}

/** What a log says of an error. A refused request is named by its fields alone: its values are the caller's own affair. */
function causeOf(error: ConnectError): Record<string, unknown> {
  const reason = reasonOf(error);
  if (error.code === Code.InvalidArgument) return { reason, fields: violationsOf(error).map(({ field }) => field) };
  return { reason, detail: error.rawMessage, ...(error.code === Code.Unavailable ? { cause: rootCause(error) } : {}) };
}

/** What failed below: the sentence for the caller leaves out addresses that an operator needs. */
function rootCause(error: ConnectError): string | undefined {
  let cause: unknown = error.cause;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause === undefined ? undefined : messageOf(cause);
}

/** Where a call's record is found by everything that handles the call. */
export const recordKey: ContextKey<CallRecord | undefined> = createContextKey<CallRecord | undefined>(undefined, {
  description: 'call record',
});

/** `INVALID_ARGUMENT`, as gRPC writes it. */
export function codeName(code: Code): string {
  return Code[code].replace(/(?<!^)(?=[A-Z])/g, '_').toUpperCase();
}
