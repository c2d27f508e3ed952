import { StatusError } from '../../platform/errors.ts';

/** Frames of one stream that wait for a slow agent; commands travel up to 100 a frame. */
export const FRAMES_QUEUED_MAX = 1_024;

/** How a stream ends. Each end has a name that the executor's row and the agent get to see. */
export type SessionEnd =
  | { readonly type: 'left'; readonly reason: string }
  | { readonly type: 'superseded'; readonly epoch: number; readonly journalId: string; readonly host: string }
  | { readonly type: 'disabled' }
  | { readonly type: 'credential_ended'; readonly keyId: string }
  | { readonly type: 'silent'; readonly silenceMs: number }
  | { readonly type: 'slow_consumer' }
  | { readonly type: 'protocol'; readonly expected: string; readonly detail: string }
  | { readonly type: 'draining' };

/** Why the stream ended, for the executor's row. */
export function reasonOf(end: SessionEnd): string {
  switch (end.type) {
    case 'left':
      return end.reason;
    case 'superseded':
      return `superseded by stream ${end.epoch} from ${end.host || 'an unnamed host'}`;
    case 'disabled':
      return 'executor disabled';
    case 'credential_ended':
      return `credential ${end.keyId} has ended`;
    case 'silent':
      return `silent for ${Math.round(end.silenceMs / 1_000)} s`;
    case 'slow_consumer':
      return 'agent read too slowly';
    case 'protocol':
      return `protocol violated: ${end.detail}`;
    case 'draining':
      return 'replica stopped';
  }
}

/** Whether the end is a no to the agent, and not a loss, a move, or its own newer stream: `journalId` is the agent's. */
export function isRefusal(end: SessionEnd, journalId: string): boolean {
  switch (end.type) {
    case 'superseded':
      return end.journalId !== journalId;
    case 'disabled':
    case 'credential_ended':
    case 'protocol':
      return true;
    case 'left':
    case 'silent':
    case 'slow_consumer':
    case 'draining':
      return false;
    default:
      return end satisfies never;
  }
}

/** The status with which the agent's stream ends; undefined for an orderly end. */
export function errorOf(end: SessionEnd, executorName: string): StatusError | undefined {
  switch (end.type) {
    case 'left':
      return undefined;
    case 'superseded':
      return new StatusError(
        'Aborted',
        'STREAM_SUPERSEDED',
        `a newer stream (epoch ${end.epoch}) of "${executorName}" took over`,
        {
          metadata: { epoch: String(end.epoch) },
        },
      );
    case 'disabled':
      return new StatusError(
        'PermissionDenied',
        'EXECUTOR_DISABLED',
        `executor "${executorName}" was disabled by an operator`,
        {
          metadata: { executor: executorName },
        },
      );
    case 'credential_ended':
      return new StatusError(
        'Unauthenticated',
        'CREDENTIAL_REVOKED',
        `credential ${end.keyId} has ended; use the one it was rotated to`,
        {
          metadata: { key_id: end.keyId },
        },
      );
    case 'silent':
      return new StatusError('DeadlineExceeded', 'STREAM_SILENT', `nothing came for ${end.silenceMs} ms`, {
        metadata: { silence_ms: String(end.silenceMs) },
      });
    case 'slow_consumer':
      return new StatusError('ResourceExhausted', 'SLOW_CONSUMER', `${FRAMES_QUEUED_MAX} frames wait to be read`, {
        metadata: { buffered: String(FRAMES_QUEUED_MAX) },
      });
    case 'protocol':
      return new StatusError('FailedPrecondition', 'PROTOCOL_VIOLATION', end.detail, {
        metadata: { expected: end.expected },
      });
    case 'draining':
      return new StatusError('Unavailable', 'UNAVAILABLE', 'this replica is stopping; connect to another', {
        metadata: { dependency: 'replica' },
        retryAfterMs: 100,
      });
  }
}
