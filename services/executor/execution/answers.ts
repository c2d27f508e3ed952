import { create, toBinary } from '@bufbuild/protobuf';
import { CommandResultSchema, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { type Finished, FinishedSchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { messageOf } from '../../platform/errors.ts';
import type { Outcome } from '../adapters/adapter.ts';
import type { Refusal } from '../domain/refusal.ts';
import { type AbortCause, type LiveCommand, startWithinMs } from './live-command.ts';

/** Longest sentence that goes into an answer. */
const MESSAGE_CHARS_MAX = 1_000;
/** Largest answer: several fit into one frame below any port's limit. */
const ANSWER_BYTES_MAX = 256 * 1_024;

type ReasonName = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;
type Hop = 'agent' | 'venue';

function answer(
  state: CommandState,
  reason: ReasonName,
  hop: Hop,
  message: string,
  facts: { readonly retryable?: boolean; readonly metadata?: Readonly<Record<string, string>> } = {},
): Finished {
  const error = {
    reason: ErrorReason[reason],
    message: message.slice(0, MESSAGE_CHARS_MAX).toWellFormed(),
    hop,
    retryable: facts.retryable ?? false,
    metadata: { ...facts.metadata },
  };
  return create(FinishedSchema, { state, error });
}

/** REJECTED by the agent itself: a local limit, a precondition, a kind it does not have. */
export function refused(refusal: Refusal): Finished {
  return answer(CommandState.REJECTED, refusal.reason, 'agent', refusal.message, { metadata: refusal.metadata });
}

/** EXPIRED: never started, and never will be. */
export function expired(message: string, reason: 'START_DEADLINE' | 'FINISH_DEADLINE' = 'START_DEADLINE'): Finished {
  return answer(CommandState.EXPIRED, reason, 'agent', message);
}

/** EXPIRED by the time that the command had from its receipt. */
export function tooLate(command: LiveCommand): Finished {
  return expired(
    `not started within the ${Math.round(startWithinMs(command.delivery))} ms that it had from its receipt`,
  );
}

/** CANCELLED before any effect, by an operator or by a later stop. */
export function cancelled(supersededBy: string | undefined): Finished {
  if (supersededBy === undefined) {
    return answer(CommandState.CANCELLED, 'CANCELLED', 'agent', 'cancelled before it took effect');
  }
  return answer(CommandState.CANCELLED, 'SUPERSEDED', 'agent', `made pointless by the later stop ${supersededBy}`, {
    metadata: { superseded_by: supersededBy },
  });
}

/** OUTCOME_UNKNOWN: it may have had its effect. */
export function outcomeUnknown(reason: 'FINISH_DEADLINE' | 'EFFECT_UNCERTAIN', message: string): Finished {
  return answer(CommandState.OUTCOME_UNKNOWN, reason, reason === 'FINISH_DEADLINE' ? 'venue' : 'agent', message);
}

/** FAILED before the adapter was called, in a way that may pass. */
export function notChecked(thrown: unknown): Finished {
  const message = `the venue could not be asked before the start: ${messageOf(thrown)}`;
  return answer(CommandState.FAILED, 'VENUE_UNAVAILABLE', 'venue', message, { retryable: true });
}

/** What the adapter threw, with nothing known of its effect beyond what the adapter's contract says. */
export function thrownAnswer(
  thrown: unknown,
  abortReason: unknown,
  cause: AbortCause | undefined,
  supersededBy: string | undefined,
): Finished {
  const gaveUp = cause !== undefined && thrown === abortReason;
  if (!gaveUp)
    return answer(CommandState.FAILED, 'ADAPTER_FAILED', 'agent', `the adapter failed: ${messageOf(thrown)}`);
  if (cause !== 'finish_deadline') return cancelled(supersededBy);
  return answer(
    CommandState.FAILED,
    'FINISH_DEADLINE',
    'venue',
    'given up at its finish deadline before it took effect',
  );
}

/** The adapter's outcome as the platform hears it. */
export function outcomeAnswer(outcome: Outcome): Finished {
  switch (outcome.status) {
    case 'succeeded':
      return create(FinishedSchema, {
        state: CommandState.SUCCEEDED,
        result: create(CommandResultSchema, outcome.result ?? {}),
      });
    case 'rejected':
      return answer(CommandState.REJECTED, outcome.reason ?? 'VENUE_REJECTED', 'venue', outcome.message, {
        metadata: outcome.metadata ?? {},
      });
    case 'failed': {
      const reason = outcome.reason ?? (outcome.retryable ? 'VENUE_UNAVAILABLE' : 'VENUE_REJECTED');
      const finished = answer(CommandState.FAILED, reason, 'venue', outcome.message, {
        retryable: outcome.retryable,
        metadata: outcome.metadata ?? {},
      });
      if (outcome.result !== undefined) finished.result = create(CommandResultSchema, outcome.result);
      return finished;
    }
    case 'unknown':
      return outcomeUnknown('EFFECT_UNCERTAIN', outcome.message);
    default:
      return unreachable(outcome);
  }
}

/** Bytes of an answer for the journal. A result too large for a frame is replaced by a sentence that says so. */
export function encodeAnswer(finished: Finished): Uint8Array {
  const bytes = toBinary(FinishedSchema, finished);
  if (bytes.length <= ANSWER_BYTES_MAX) return bytes;
  const summary = `the result had ${bytes.length} bytes, above the limit of ${ANSWER_BYTES_MAX}, and was left out`;
  finished.result = create(CommandResultSchema, { summary });
  if (finished.error !== undefined) finished.error.metadata = {};
  return toBinary(FinishedSchema, finished);
}

/** Whether the platform may send the command again for another try. */
export function isRetryable(finished: Finished | undefined): boolean {
  return finished?.state === CommandState.FAILED && finished.error?.retryable === true;
}

/** Whether the platform may still be told something better. */
export function isUnsettled(finished: Finished | undefined): boolean {
  return finished?.state === CommandState.OUTCOME_UNKNOWN;
}

function unreachable(outcome: never): Finished {
  // Adapters are written in JavaScript too: what they return may be nothing that was agreed on.
  const status: unknown = Object(outcome).status;
  return answer(
    CommandState.FAILED,
    'ADAPTER_FAILED',
    'agent',
    `the adapter returned the unknown status "${String(status)}"`,
  );
}
