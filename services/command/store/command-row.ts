import {
  type Command,
  type CommandError,
  type CommandState,
  type ErrorHop,
  HOPS,
  isTerminal,
  type Lane,
  OPEN_STATES,
  TERMINAL_STATES,
} from '../domain/command.ts';
import type { ReadCommands, UnreadableCommand } from '../domain/repository.ts';

/** A row of command.command as `pg` gives it with the parsers of `store/types.ts`: times as milliseconds, bigints as numbers. */
export type CommandRow = Readonly<Record<string, unknown>>;

const STATES: ReadonlyMap<string, CommandState> = new Map(
  [...OPEN_STATES, ...TERMINAL_STATES].map((state) => [state, state]),
);

class RowDefect extends Error {}

/** Reads rows one by one; what cannot be read is returned beside the others, with the column that is to blame. */
export function readCommandRows(rows: readonly CommandRow[]): ReadCommands {
  const commands: Command[] = [];
  const unreadable: UnreadableCommand[] = [];
  for (const row of rows) {
    try {
      commands.push(readRow(row));
    } catch (thrown) {
      if (!(thrown instanceof RowDefect)) throw thrown;
      unreadable.push({
        id: String(row['id']),
        executorId: String(row['executor_id']),
        accountId: String(row['account_id']),
        version: Number(row['version']),
        sequence: Number(row['sequence']),
        defect: thrown.message,
      });
    }
  }
  return { commands, unreadable };
}

function readRow(row: CommandRow): Command {
  const state = STATES.get(text(row, 'state'));
  if (state === undefined) throw new RowDefect(`state: "${text(row, 'state')}" is not a state`);
  const lane = number(row, 'lane');
  if (lane !== 1 && lane !== 2 && lane !== 3) throw new RowDefect(`lane: ${lane} is not a lane`);
  const dueMs = number(row, 'due_time');
  if (!isTerminal(state) && !Number.isFinite(dueMs)) throw new RowDefect('due_time: must be finite');
  return {
    id: text(row, 'id'),
    accountId: text(row, 'account_id'),
    executorId: text(row, 'executor_id'),
    sequence: number(row, 'sequence'),
    kind: text(row, 'kind'),
    parameters: bytes(row, 'parameters') ?? fail('parameters'),
    lane: lane satisfies Lane,
    orderingKey: text(row, 'ordering_key'),
    requestId: textOrNull(row, 'request_id'),
    fingerprint: bytes(row, 'fingerprint'),
    retryOf: textOrNull(row, 'retry_of'),
    preconditions: bytes(row, 'preconditions'),
    deadlines: {
      deliverByMs: number(row, 'deliver_by'),
      receiveWithinMs: number(row, 'receive_within_ms'),
      startWithinMs: number(row, 'start_within_ms'),
      progressWithinMs: numberOrNull(row, 'progress_within_ms'),
      finishWithinMs: number(row, 'finish_within_ms'),
      finishByMs: number(row, 'finish_by'),
      notAfterMs: numberOrNull(row, 'not_after'),
    },
    state,
    version: number(row, 'version'),
    attempt: number(row, 'attempt'),
    attemptsMax: number(row, 'attempts_max'),
    failures: number(row, 'failures'),
    resends: number(row, 'resends'),
    streamEpoch: numberOrNull(row, 'stream_epoch'),
    journalId: textOrNull(row, 'journal_id'),
    createMs: number(row, 'create_time'),
    sentMs: numberOrNull(row, 'sent_time'),
    receivedMs: numberOrNull(row, 'received_time'),
    startMs: numberOrNull(row, 'start_time'),
    progressMs: numberOrNull(row, 'progress_time'),
    finishMs: numberOrNull(row, 'finish_time'),
    cancelRequestMs: numberOrNull(row, 'cancel_request_time'),
    settleMs: numberOrNull(row, 'settle_time'),
    retryMs: numberOrNull(row, 'retry_time'),
    dueMs,
    error: errorOf(row),
    result: bytes(row, 'result'),
    progress: bytes(row, 'progress'),
    note: textOrNull(row, 'note'),
    unsettled: row['unsettled'] === true,
    settledBy: textOrNull(row, 'settled_by'),
  };
}

/** Each of the error's columns may be NULL by itself; a reason alone makes an error. */
function errorOf(row: CommandRow): CommandError | null {
  const reason = textOrNull(row, 'error_reason');
  if (reason === null) return null;
  const hop = textOrNull(row, 'error_hop');
  const metadata = row['error_metadata'];
  return {
    reason,
    message: textOrNull(row, 'error_message') ?? '',
    hop: HOPS.find((known) => known === hop) ?? ('platform' satisfies ErrorHop),
    retryable: row['error_retryable'] === true,
    metadata: isTextMap(metadata) ? metadata : {},
  };
}

function isTextMap(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((member) => typeof member === 'string')
  );
}

function fail(column: string): never {
  throw new RowDefect(`${column}: must not be NULL`);
}

function text(row: CommandRow, column: string): string {
  return textOrNull(row, column) ?? fail(column);
}

function textOrNull(row: CommandRow, column: string): string | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string') throw new RowDefect(`${column}: must be text`);
  return value;
}

function number(row: CommandRow, column: string): number {
  return numberOrNull(row, column) ?? fail(column);
}

function numberOrNull(row: CommandRow, column: string): number | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  if (typeof value !== 'number' || Number.isNaN(value)) throw new RowDefect(`${column}: must be a number or a time`);
  return value;
}

function bytes(row: CommandRow, column: string): Uint8Array | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  if (!(value instanceof Uint8Array)) throw new RowDefect(`${column}: must be bytes`);
  return value;
}
