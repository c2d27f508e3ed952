import type { Code } from '@connectrpc/connect';
import type { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';

/** Name of a value of strategos.errors.v1.ErrorReason without its prefix. A type only: nothing generated is loaded here. */
export type ReasonName = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;

/** One refused request field: `field` is its path in proto notation, such as `open_position.quantity`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/**
 * A failure as a typed fact. Domain and handlers throw it; `platform/grpc/status.ts` alone turns it into a status with
 * google.rpc details. `message` says what was wrong, where, and what to do next.
 */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: keyof typeof Code;
  readonly reason: ReasonName;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  /** When the same call may succeed, in milliseconds; undefined where that is not known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: keyof typeof Code,
    reason: ReasonName,
    message: string,
    facts: {
      readonly metadata?: Readonly<Record<string, string>>;
      readonly violations?: readonly FieldViolation[];
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.reason = reason;
    this.metadata = facts.metadata ?? {};
    this.violations = facts.violations ?? [];
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** INVALID_ARGUMENT that lists every refused field at once. `violations` must not be empty. */
export function invalidFields(violations: readonly FieldViolation[]): StatusError {
  const message = violations.map((v) => `${v.field}: ${v.description}`).join('; ');
  return new StatusError('InvalidArgument', 'INVALID_FIELD', message, {
    violations,
    metadata: { fields: violations.map((v) => v.field).join(',') },
  });
}

/** NOT_FOUND, also for what exists in another account. */
export function notFound(resource: string, name: string): StatusError {
  return new StatusError('NotFound', 'RESOURCE_NOT_FOUND', `no ${resource} "${name}" in this account`, {
    metadata: { resource, name },
  });
}

/** UNAVAILABLE: the one code that callers repeat by themselves. */
export function unavailable(dependency: string, message: string, cause?: unknown): StatusError {
  return new StatusError('Unavailable', 'UNAVAILABLE', message, { metadata: { dependency }, cause, retryAfterMs: 500 });
}

/** Anything thrown as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What `Promise.any` says by itself, which names no cause. */
const ALL_REJECTED = 'All promises were rejected';

/** The message of anything thrown; of several errors that nobody has put into words, each one's, once. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && (thrown.message === '' || thrown.message === ALL_REJECTED)) {
    return [...new Set(thrown.errors.map(messageOf))].join('; ');
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
