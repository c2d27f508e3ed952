import type { ChangedCommand, NewCommand } from '../domain/repository.ts';
import { type ArrayElement, arrayLiteral } from './array-literal.ts';
import type { Statement } from './types.ts';

/** One array parameter: a column of all rows of a batch. */
interface Column<T> {
  readonly name: string;
  readonly type: string;
  readonly of: (row: T) => ArrayElement;
}

/** Times travel as milliseconds in float8 and become timestamptz in SQL; Infinity is "infinity" in both. */
const TIME = 'float8';

const INSERT_COLUMNS: readonly Column<NewCommand>[] = [
  { name: 'id', type: 'uuid', of: (n) => n.command.id },
  { name: 'executor_id', type: 'uuid', of: (n) => n.command.executorId },
  { name: 'kind', type: 'text', of: (n) => n.command.kind },
  { name: 'parameters', type: 'bytea', of: (n) => n.command.parameters },
  { name: 'lane', type: 'smallint', of: (n) => n.command.lane },
  { name: 'ordering_key', type: 'text', of: (n) => n.command.orderingKey },
  { name: 'request_id', type: 'text', of: (n) => n.command.requestId },
  { name: 'fingerprint', type: 'bytea', of: (n) => n.command.fingerprint },
  { name: 'retry_of', type: 'uuid', of: (n) => n.command.retryOf },
  { name: 'preconditions', type: 'bytea', of: (n) => n.command.preconditions },
  { name: 'attempts_max', type: 'integer', of: (n) => n.command.attemptsMax },
  { name: 'create_time', type: TIME, of: (n) => n.command.createMs },
  { name: 'deliver_by', type: TIME, of: (n) => n.command.deadlines.deliverByMs },
  { name: 'receive_within_ms', type: 'bigint', of: (n) => n.command.deadlines.receiveWithinMs },
  { name: 'start_within_ms', type: 'bigint', of: (n) => n.command.deadlines.startWithinMs },
  { name: 'progress_within_ms', type: 'bigint', of: (n) => n.command.deadlines.progressWithinMs },
  { name: 'finish_within_ms', type: 'bigint', of: (n) => n.command.deadlines.finishWithinMs },
  { name: 'finish_by', type: TIME, of: (n) => n.command.deadlines.finishByMs },
  { name: 'not_after', type: TIME, of: (n) => n.command.deadlines.notAfterMs },
  { name: 'due_time', type: TIME, of: (n) => n.command.dueMs },
  { name: 'issued_steps', type: 'jsonb', of: (n) => JSON.stringify(n.steps) },
  // A command whose executor's stream is held right here is inserted as SENT, if nothing came between.
  { name: 'send_epoch', type: 'bigint', of: (n) => n.sent?.command.streamEpoch ?? null },
  { name: 'send_journal', type: 'text', of: (n) => n.sent?.command.journalId ?? null },
  { name: 'send_time', type: TIME, of: (n) => n.sent?.command.sentMs ?? null },
  { name: 'send_due', type: TIME, of: (n) => n.sent?.command.dueMs ?? null },
  {
    name: 'sent_steps',
    type: 'jsonb',
    of: (n) => (n.sent === null ? null : JSON.stringify([...n.steps, n.sent.step])),
  },
];

const CHANGE_COLUMNS: readonly Column<ChangedCommand>[] = [
  { name: 'id', type: 'uuid', of: (c) => c.command.id },
  { name: 'executor_id', type: 'uuid', of: (c) => c.command.executorId },
  { name: 'from_version', type: 'integer', of: (c) => c.fromVersion },
  { name: 'fence_epoch', type: 'bigint', of: (c) => c.fenceEpoch },
  { name: 'steps', type: 'jsonb', of: (c) => JSON.stringify(c.steps) },
  { name: 'version', type: 'integer', of: (c) => c.command.version },
  { name: 'state', type: 'text', of: (c) => c.command.state },
  { name: 'attempt', type: 'integer', of: (c) => c.command.attempt },
  { name: 'failures', type: 'integer', of: (c) => c.command.failures },
  { name: 'resends', type: 'integer', of: (c) => c.command.resends },
  { name: 'stream_epoch', type: 'bigint', of: (c) => c.command.streamEpoch },
  { name: 'journal_id', type: 'text', of: (c) => c.command.journalId },
  { name: 'sent_time', type: TIME, of: (c) => c.command.sentMs },
  { name: 'received_time', type: TIME, of: (c) => c.command.receivedMs },
  { name: 'start_time', type: TIME, of: (c) => c.command.startMs },
  { name: 'progress_time', type: TIME, of: (c) => c.command.progressMs },
  { name: 'finish_time', type: TIME, of: (c) => c.command.finishMs },
  { name: 'cancel_request_time', type: TIME, of: (c) => c.command.cancelRequestMs },
  { name: 'settle_time', type: TIME, of: (c) => c.command.settleMs },
  { name: 'retry_time', type: TIME, of: (c) => c.command.retryMs },
  { name: 'due_time', type: TIME, of: (c) => c.command.dueMs },
  { name: 'error_reason', type: 'text', of: (c) => c.command.error?.reason ?? null },
  { name: 'error_message', type: 'text', of: (c) => c.command.error?.message ?? null },
  { name: 'error_hop', type: 'text', of: (c) => c.command.error?.hop ?? null },
  { name: 'error_retryable', type: 'boolean', of: (c) => c.command.error?.retryable ?? null },
  {
    name: 'error_metadata',
    type: 'jsonb',
    of: (c) => (c.command.error === null ? null : JSON.stringify(c.command.error.metadata)),
  },
  { name: 'result', type: 'bytea', of: (c) => c.command.result },
  { name: 'progress', type: 'bytea', of: (c) => c.command.progress },
  { name: 'note', type: 'text', of: (c) => c.command.note },
  { name: 'unsettled', type: 'boolean', of: (c) => c.command.unsettled },
  {
    name: 'milestones',
    type: 'jsonb',
    of: (c) => JSON.stringify(c.steps.filter((step) => step.cause !== 'progressed')),
  },
];

/** What the statement sets from the batch: everything but the columns that only address or fence the row. */
const SET_COLUMNS = CHANGE_COLUMNS.filter(
  ({ name }) => !['id', 'executor_id', 'from_version', 'fence_epoch', 'steps', 'milestones'].includes(name),
);

function source<T>(columns: readonly Column<T>[], alias: string, firstParameter: number): string {
  const arrays = columns.map(({ type }, i) => `$${firstParameter + i}::${type}[]`).join(', ');
  return `unnest(${arrays}) WITH ORDINALITY AS ${alias}(${columns.map(({ name }) => name).join(', ')}, ord)`;
}

function value(column: Column<never>, alias: string): string {
  return column.type === TIME ? `to_timestamp(${alias}.${column.name} / 1000)` : `${alias}.${column.name}`;
}

const PLAIN_INSERTS = INSERT_COLUMNS.filter(
  ({ name }) =>
    !['due_time', 'issued_steps', 'send_epoch', 'send_journal', 'send_time', 'send_due', 'sent_steps'].includes(name),
);

const FIRST_INSERT_PARAMETER = 4;

function parameterOf(name: string): number {
  return FIRST_INSERT_PARAMETER + INSERT_COLUMNS.findIndex((column) => column.name === name);
}

const INSERTED = `inserted AS (
  INSERT INTO command.command (account_id, sequence, ${PLAIN_INSERTS.map(({ name }) => name).join(', ')},
    state, version, attempt, stream_epoch, journal_id, sent_time, due_time, timeline)
  SELECT $1, counter.base + n.ord, ${PLAIN_INSERTS.map((column) => value(column, 'n')).join(', ')},
    CASE WHEN n.now_sent THEN 'SENT' ELSE 'PENDING' END, CASE WHEN n.now_sent THEN 2 ELSE 1 END,
    CASE WHEN n.now_sent THEN 1 ELSE 0 END, CASE WHEN n.now_sent THEN n.send_epoch END,
    CASE WHEN n.now_sent THEN n.send_journal END, CASE WHEN n.now_sent THEN to_timestamp(n.send_time / 1000) END,
    to_timestamp(CASE WHEN n.now_sent THEN n.send_due ELSE n.due_time END / 1000),
    CASE WHEN n.now_sent THEN n.sent_steps ELSE n.issued_steps END
  FROM counter, fresh n
  ON CONFLICT (account_id, request_id) WHERE request_id IS NOT NULL DO NOTHING
  RETURNING id, executor_id, sequence, state
)`;
const ISSUED_STEPS = parameterOf('issued_steps');
const SENT_STEPS = parameterOf('sent_steps');
// Materialized: inlined, the epoch would be looked up once for each of the eight columns that depend on it (a fifth of an insert).
const FRESH = `fresh AS MATERIALIZED (
  SELECT n.*, n.send_epoch IS NOT NULL AND counter.base = $3 AND EXISTS (
      SELECT FROM command.executor e WHERE e.id = n.executor_id AND e.stream_epoch = n.send_epoch) AS now_sent
  FROM counter, ${source(INSERT_COLUMNS, 'n', FIRST_INSERT_PARAMETER)}
)`;

const FIRST_CHANGE_PARAMETER = 3;
const CHANGED = `change AS MATERIALIZED (
  SELECT u.*, $1::text AS account_id FROM ${source(CHANGE_COLUMNS, 'u', FIRST_CHANGE_PARAMETER)}
), updated AS (
  UPDATE command.command c SET ${SET_COLUMNS.map((column) => `${column.name} = ${value(column, 'u')}`).join(', ')},
    timeline = c.timeline || u.milestones
  FROM change u, counter
  WHERE c.account_id = u.account_id AND c.id = u.id AND c.version = u.from_version AND (u.fence_epoch = 0 OR EXISTS (
    SELECT FROM command.executor e WHERE e.id = c.executor_id AND e.stream_epoch = u.fence_epoch))
  RETURNING c.id, u.executor_id, u.steps, u.ord
)`;

// Both statements run on connections that plan nested loops over indexes only (see DELIVERY_SETTINGS), so nothing here
// joins two batches with each other: steps are picked by position, or travel through RETURNING. The account of a change comes
// out of the batch, not from the parameter: otherwise a plan may begin with all commands of the account (16 times slower).

// The account's row is locked first: whoever comes later sees our numbers, and numbers below ours are already visible.
const COUNTER = `counter AS (
  UPDATE command.account SET event_number = event_number + $2::bigint WHERE id = $1::text
  RETURNING event_number - $2::bigint AS base
)`;

/**
 * $1 account, $2 how many numbers to take, $3 the number up to which the caller knows the account's history, then a column
 * array for each of INSERT_COLUMNS. Gives the base number and, for each command that is new, its sequence and state.
 */
export const insertCommands: Statement = {
  name: 'insert_commands',
  text: `WITH ${COUNTER}, ${FRESH}, ${INSERTED}, history AS (
  INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
  SELECT $1, i.sequence, i.id, i.executor_id,
    CASE i.state WHEN 'SENT' THEN ($${SENT_STEPS}::jsonb[])[i.sequence - base] ELSE ($${ISSUED_STEPS}::jsonb[])[i.sequence - base] END
  FROM counter, inserted i
)
SELECT base, (SELECT json_agg(json_build_array(id, sequence, state)) FROM inserted) AS stored FROM counter`,
};

/** $1 account, $2 how many numbers to take, then a column array for each of CHANGE_COLUMNS. Gives the ids that were changed. */
export const changeCommands: Statement = {
  name: 'change_commands',
  text: `WITH ${COUNTER}, ${CHANGED}, history AS (
  INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
  SELECT $1, counter.base + u.ord, u.id, u.executor_id, u.steps FROM counter, updated u
)
SELECT base, (SELECT json_agg(id) FROM updated) AS ids FROM counter`,
};

export function insertParameters(rows: readonly NewCommand[]): string[] {
  return INSERT_COLUMNS.map(({ type, of }) => arrayLiteral(type, rows, of));
}

export function changeParameters(rows: readonly ChangedCommand[]): string[] {
  return CHANGE_COLUMNS.map(({ type, of }) => arrayLiteral(type, rows, of));
}
