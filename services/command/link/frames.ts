import { create, toBinary } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  CommandProgressSchema,
  type CommandResult,
  CommandResultSchema,
  CommandState,
  type CommandError as WireError,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { ExecutorEvent, Hello } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { type CommandError, HOPS, type TerminalState } from '../domain/command.ts';
import type { AgentFact } from './flow-link.ts';
import type { JournaledCommand } from './live-command.ts';

const TEXT_CHARS_MAX = 1_000;
const RESULT_BYTES_MAX = 65_536;
const METADATA_ENTRIES_MAX = 32;

/** An agent's event as a fact; undefined when its case is not known to this build. */
export function factOf(event: ExecutorEvent, nowMs: number): AgentFact | undefined {
  const { commandId } = event;
  const ageMs = event.age === undefined ? 0 : Math.max(0, durationMs(event.age));
  const atMs = nowMs - ageMs;
  switch (event.event.case) {
    case 'received':
      return { commandId, event: { type: 'received', atMs } };
    case 'started':
      return { commandId, event: { type: 'started', atMs } };
    case 'progress': {
      const progress = event.event.value.progress ?? create(CommandProgressSchema);
      progress.message = plain(progress.message);
      return { commandId, event: { type: 'progressed', atMs, progress: toBinary(CommandProgressSchema, progress) } };
    }
    case 'finished': {
      const { state, result, error } = event.event.value;
      return {
        commandId,
        event: {
          type: 'finished',
          atMs,
          attempt: event.attempt,
          state: terminalOf(state),
          result: result === undefined ? null : storedResult(result),
          error: error === undefined ? null : errorOf(error),
        },
      };
    }
    case 'notFound':
      return { commandId, event: { type: 'not_found' } };
    case undefined:
      return undefined;
  }
}

const TERMINAL: Partial<Record<CommandState, TerminalState>> = {
  [CommandState.SUCCEEDED]: 'SUCCEEDED',
  [CommandState.FAILED]: 'FAILED',
  [CommandState.REJECTED]: 'REJECTED',
  [CommandState.CANCELLED]: 'CANCELLED',
  [CommandState.EXPIRED]: 'EXPIRED',
  [CommandState.OUTCOME_UNKNOWN]: 'OUTCOME_UNKNOWN',
};

/** An end that this build does not know is no reason to guess a better one. */
function terminalOf(state: CommandState): TerminalState {
  return TERMINAL[state] ?? 'OUTCOME_UNKNOWN';
}

/** A result is read with every list and watch: one that is too large is stored as a sentence that says so. */
function storedResult(result: CommandResult): Uint8Array {
  const bytes = toBinary(CommandResultSchema, result);
  if (bytes.length <= RESULT_BYTES_MAX) return bytes;
  const summary = `${plain(result.summary)} (the result of ${bytes.length} bytes is larger than ${RESULT_BYTES_MAX} and was left out)`;
  return toBinary(CommandResultSchema, create(CommandResultSchema, { summary }));
}

function errorOf(error: WireError): CommandError {
  return {
    reason:
      error.reason === ErrorReason.UNSPECIFIED ? 'ADAPTER_FAILED' : (ErrorReason[error.reason] ?? 'ADAPTER_FAILED'),
    message: plain(error.message),
    hop: HOPS.find((hop) => hop === error.hop) ?? 'agent',
    retryable: error.retryable,
    metadata: Object.fromEntries(
      Object.entries(error.metadata)
        .slice(0, METADATA_ENTRIES_MAX)
        .map(([key, value]) => [plain(key), plain(value)]),
    ),
  };
}

/** Text of an agent as it may be stored and shown: Postgres takes no NUL, a terminal obeys escapes, nobody reads a megabyte. */
export function plain(text: string): string {
  return text
    .slice(0, 2 * TEXT_CHARS_MAX)
    .replaceAll('\0', '')
    .replaceAll(/\p{Cc}/gu, ' ')
    .slice(0, TEXT_CHARS_MAX);
}

/** The journal of a Hello. */
export function journalOf(hello: Hello): JournaledCommand[] {
  return hello.journal.map(({ commandId, state }) => ({
    commandId,
    stage: state === CommandState.RECEIVED ? 'received' : state === CommandState.RUNNING ? 'running' : 'finished',
  }));
}
