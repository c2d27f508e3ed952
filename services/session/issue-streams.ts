import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type {
  IssueCommandRequestSchema,
  IssueCommandStreamRequestSchema,
  IssueCommandStreamResponse,
  IssueCommandsResponse_Outcome,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { AsyncQueue } from '../platform/async-queue.ts';
import type { Clock } from '../platform/clock.ts';

type StreamRequest = MessageInitShape<typeof IssueCommandStreamRequestSchema>;
export type IssueRequests = readonly MessageInitShape<typeof IssueCommandRequestSchema>[];

/** Opens IssueCommandStream; `signal` ends it. */
type OpenStream = (
  requests: AsyncIterable<StreamRequest>,
  signal: AbortSignal,
) => AsyncIterable<IssueCommandStreamResponse>;

/** The same on behalf of an account. */
export type OpenIssueStream = (accountId: string, ...rest: Parameters<OpenStream>) => ReturnType<OpenStream>;

/** An answer that takes longer counts as lost. */
const SILENCE_MS_MAX = 10_000;
/** A stream that nobody has used for so long is closed. */
const UNUSED_MS_MAX = 300_000;
/** Far more than the workers of a service issue at once. */
const WAITING_MAX = 1_024;

/** Issues commands over one stream an account, opened when it is needed. */
export class IssueStreams {
  readonly #open: OpenIssueStream;
  readonly #clock: Clock;
  readonly #streams = new Map<string, IssueStream>();

  constructor(open: OpenIssueStream, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /**
   * Gives one outcome a request, in order.
   * @throws ConnectError when no answer came; commands may have been issued then.
   */
  issue(accountId: string, requests: IssueRequests): Promise<readonly IssueCommandsResponse_Outcome[]> {
    return this.#streamOf(accountId).issue(requests);
  }

  stop(): void {
    for (const stream of this.#streams.values()) stream.end(new ConnectError('this service stops', Code.Unavailable));
  }

  #streamOf(accountId: string): IssueStream {
    const open = this.#streams.get(accountId);
    if (open !== undefined) return open;
    const stream = new IssueStream(
      (requests, signal) => this.#open(accountId, requests, signal),
      this.#clock,
      () => {
        if (this.#streams.get(accountId) === stream) this.#streams.delete(accountId);
      },
    );
    this.#streams.set(accountId, stream);
    return stream;
  }
}

interface Asked {
  readonly resolve: (outcomes: readonly IssueCommandsResponse_Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/** One stream: answers come in the order of the requests. */
class IssueStream {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #requests = new AsyncQueue<StreamRequest>({ itemsMax: WAITING_MAX });
  readonly #cut = new AbortController();
  readonly #asked: Asked[] = [];
  #cancelTimer: (() => void) | undefined;

  /** `onEnd` is told, perhaps more than once, that the stream takes no more requests. */
  constructor(open: OpenStream, clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#readAll(open).catch((thrown: unknown) => this.end(thrown));
  }

  issue(requests: IssueRequests): Promise<readonly IssueCommandsResponse_Outcome[]> {
    return new Promise((resolve, reject) => {
      if (!this.#requests.push({ requests: [...requests] })) {
        reject(new ConnectError(`${WAITING_MAX} requests wait to be issued already`, Code.ResourceExhausted));
        return;
      }
      this.#asked.push({ resolve, reject });
      if (this.#asked.length === 1) this.#watch();
    });
  }

  /** Everybody who still waits is told why; the next request opens another stream. */
  end(reason: unknown): void {
    this.#cancelTimer?.();
    this.#onEnd();
    this.#requests.end();
    this.#cut.abort(reason);
    for (const { reject } of this.#asked.splice(0)) reject(reason);
  }

  async #readAll(open: OpenStream): Promise<void> {
    for await (const { outcomes } of open(this.#requests, this.#cut.signal)) {
      this.#asked.shift()?.resolve(outcomes);
      this.#watch();
    }
    this.end(new ConnectError('the command service has ended the stream', Code.Unavailable));
  }

  /** Anew with every answer, and with the first request after it: more requests do not make a dead stream live. */
  #watch(): void {
    this.#cancelTimer?.();
    this.#cancelTimer =
      this.#asked.length > 0
        ? this.#clock.after(SILENCE_MS_MAX, () => this.end(noAnswer()))
        : this.#clock.after(UNUSED_MS_MAX, () => this.#leave());
  }

  /** Nobody waits: the command service ends the stream when it sees that no more requests come. */
  #leave(): void {
    this.#onEnd();
    this.#requests.end();
  }
}

function noAnswer(): ConnectError {
  return new ConnectError(`no answer came from the command service for ${SILENCE_MS_MAX} ms`, Code.DeadlineExceeded);
}
