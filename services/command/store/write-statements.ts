import type { ChangedCommand, NewCommand } from '../domain/repository.ts';
import { type ArrayElement, arrayParameter, type ElementType } from './array-parameter.ts';
import { stepsText } from './step-row.ts';
import type { Statement } from './types.ts';

/** One array parameter: a column of all rows of a batch. */
interface Column<T> {
  readonly name: string;
  readonly type: ElementType;
  readonly of: (row: T) => ArrayElement;
}

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
  { name: 'create_time', type: 'timestamptz', of: (n) => n.command.createMs },
  { name: 'deliver_by', type: 'timestamptz', of: (n) => n.command.deadlines.deliverByMs },
  { name: 'receive_within_ms', type: 'bigint', of: (n) => n.command.deadlines.receiveWithinMs },
  { name: 'start_within_ms', type: 'bigint', of: (n) => n.command.deadlines.startWithinMs },
  { name: 'progress_within_ms', type: 'bigint', of: (n) => n.command.deadlines.progressWithinMs },
  { name: 'finish_within_ms', type: 'bigint', of: (n) => n.command.deadlines.finishWithinMs },
  { name: 'finish_by', type: 'timestamptz', of: (n) => n.command.deadlines.finishByMs },
  { name: 'not_after', type: 'timestamptz', of: (n) => n.command.deadlines.notAfterMs },
  { name: 'due_time', type: 'timestamptz', of: (n) => n.command.dueMs },
  { name: 'issued_steps', type: 'text', of: (n) => stepsText(n.steps) },
  // A command whose executor's stream is held right here is inserted as SENT, if nothing came between.
  { name: 'send_epoch', type: 'bigint', of: (n) => n.sent?.command.streamEpoch ?? null },
  { name: 'send_journal', type: 'text', of: (n) => n.sent?.command.journalId ?? null },
  { name: 'send_time', type: 'timestamptz', of: (n) => n.sent?.command.sentMs ?? null },
  { name: 'send_due', type: 'timestamptz', of: (n) => n.sent?.command.dueMs ?? null },
  { name: 'sent_steps', type: 'text', of: (n) => (n.sent === null ? null : stepsText([...n.steps, n.sent.step])) },
];

const CHANGE_COLUMNS: readonly Column<ChangedCommand>[] = [
  { name: 'id', type: 'uuid', of: (c) => c.command.id },
  { name: 'from_version', type: 'integer', of: (c) => c.fromVersion },
  { name: 'steps', type: 'text', of: (c) => stepsText(c.steps) },
  { name: 'milestones', type: 'text', of: milestonesOf },
  { name: 'version', type: 'integer', of: (c) => c.command.version },
  { name: 'state', type: 'text', of: (c) => c.command.state },
  { name: 'attempt', type: 'integer', of: (c) => c.command.attempt },
  { name: 'failures', type: 'integer', of: (c) => c.command.failures },
  { name: 'resends', type: 'integer', of: (c) => c.command.resends },
  { name: 'stream_epoch', type: 'bigint', of: (c) => c.command.streamEpoch },
  { name: 'journal_id', type: 'text', of: (c) => c.command.journalId },
  { name: 'sent_time', type: 'timestamptz', of: (c) => c.command.sentMs },
  { name: 'received_time', type: 'timestamptz', of: (c) => c.command.receivedMs },
  { name: 'start_time', type: 'timestamptz', of: (c) => c.command.startMs },
  { name: 'progress_time', type: 'timestamptz', of: (c) => c.command.progressMs },
  { name: 'finish_time', type: 'timestamptz', of: (c) => c.command.finishMs },
  { name: 'cancel_request_time', type: 'timestamptz', of: (c) => c.command.cancelRequestMs },
  { name: 'settle_time', type: 'timestamptz', of: (c) => c.command.settleMs },
  { name: 'retry_time', type: 'timestamptz', of: (c) => c.command.retryMs },
  { name: 'due_time', type: 'timestamptz', of: (c) => c.command.dueMs },
  { name: 'error_reason', type: 'text', of: (c) => c.command.error?.reason ?? null },
  { name: 'error_message', type: 'text', of: (c) => c.command.error?.message ?? null },
  { name: 'error_hop', type: 'text', of: (c) => c.command.error?.hop ?? null },
  { name: 'error_retryable', type: 'boolean', of: (c) => c.command.error?.retryable ?? null },
  {
    name: 'error_metadata',
    type: 'text',
    of: (c) => (c.command.error === null ? null : JSON.stringify(c.command.error.metadata)),
  },
  { name: 'result', type: 'bytea', of: (c) => c.command.result },
  { name: 'progress', type: 'bytea', of: (c) => c.command.progress },
  { name: 'note', type: 'text', of: (c) => c.command.note },
  { name: 'unsettled', type: 'boolean', of: (c) => c.command.unsettled },
  { name: 'settled_by', type: 'text', of: (c) => c.command.settledBy },
];

/** What the timeline keeps of the steps where that is not all of them: interim progress is only in the history. */
function milestonesOf({ steps }: ChangedCommand): string | null {
  if (!steps.some((step) => step.cause === 'progressed')) return null;
  return stepsText(steps.filter((step) => step.cause !== 'progressed'));
}

/** A stream that rows of a batch rest on: each is looked up once a statement, however many rows name it. */
interface Fence {
  readonly executorId: string;
  readonly epoch: number;
}

const FENCE_COLUMNS: readonly Column<Fence>[] = [
  { name: 'executor_id', type: 'uuid', of: (fence) => fence.executorId },
  { name: 'epoch', type: 'bigint', of: (fence) => fence.epoch },
];

/** Columns that the statement picks by position, each as $n[ord]; the others come out of one `unnest`. */
const FIXED_TYPES: ReadonlySet<ElementType> = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'timestamptz',
  'uuid',
]);

/**
 * The parameters of one statement from `first` on: fences, each row's fence by its position among them (NULL: none), columns.
 * Of one type and length, an element is found at once by its position, which costs a fifth of a place in `unnest`: that
 * keeps a table of its own for each of its arrays. Texts and bytes would be walked through to the position.
 */
function placed<T>(columns: readonly Column<T>[], first: number) {
  const firstColumn = first + FENCE_COLUMNS.length + 1;
  const parameter = ({ type }: Column<T>, i: number): string => `$${firstColumn + i}::${type}[]`;
  const loose = columns.map((column, i) => ({ column, i })).filter(({ column }) => !FIXED_TYPES.has(column.type));
  const unnested = loose.map(({ column, i }) => parameter(column, i)).join(', ');
  return {
    rows: `unnest(${unnested}) WITH ORDINALITY AS r(${loose.map(({ column }) => column.name).join(', ')}, ord)`,
    /** A column's value, where the rows are called `alias`. */
    value: (name: string, alias: string): string => {
      const i = columns.findIndex((column) => column.name === name);
      const column = columns[i];
      if (column === undefined) throw new Error(`no column is called ${name}`);
      return FIXED_TYPES.has(column.type) ? `(${parameter(column, i)})[${alias}.ord]` : `${alias}.${name}`;
    },
    fences: `fences AS MATERIALIZED (
  SELECT array_agg(EXISTS (SELECT FROM command.executor e WHERE e.id = f.executor_id AND e.stream_epoch = f.epoch)
    ORDER BY f.ord) AS held
  FROM unnest($${first}::uuid[], $${first + 1}::bigint[]) WITH ORDINALITY AS f(executor_id, epoch, ord)
)`,
    /** Position of the row's fence. */
    fence: (alias: string): string => `($${first + 2}::integer[])[${alias}.ord]`,
  };
}

function parameters<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  fenceOf: (row: T) => Fence | null,
): (Buffer | null)[] {
  const fences: Fence[] = [];
  const places = new Map<string, number>();
  const placeOf = (row: T): number | null => {
    const fence = fenceOf(row);
    if (fence === null) return null;
    const key = `${fence.executorId} ${fence.epoch}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, fences.push(fence));
    return fences.length;
  };
  const fencePlaces = arrayParameter('integer', rows, placeOf);
  return [
    ...FENCE_COLUMNS.map(({ type, of }) => arrayParameter(type, fences, of)),
    fencePlaces,
    ...columns.map(({ type, of }) => arrayParameter(type, rows, of)),
  ];
}

export function insertParameters(rows: readonly NewCommand[]): (Buffer | null)[] {
  return parameters(INSERT_COLUMNS, rows, ({ sent }) =>
    sent === null ? null : { executorId: sent.command.executorId, epoch: sent.command.streamEpoch ?? 0 },
  );
}

export function changeParameters(rows: readonly ChangedCommand[]): (Buffer | null)[] {
  return parameters(CHANGE_COLUMNS, rows, ({ command, fenceEpoch }) =>
    fenceEpoch === 0 ? null : { executorId: command.executorId, epoch: fenceEpoch },
  );
}

// The statements run on connections that plan nested loops over indexes only (see DELIVERY_SETTINGS), so nothing here joins
// two batches with each other: values are picked by position, or travel through RETURNING. The account of a change comes
// out of the batch, not from the parameter: otherwise a plan may begin with all commands of the account (16 times slower).
// OFFSET 0 keeps what depends on a row's fence from being worked out again for each column that asks for it.

// The account's row is locked first: whoever comes later sees our numbers, and numbers below ours are already visible. They
// go on with the run of the writer's own numbers if nobody else has taken any since.
const COUNTER = `counter AS (
  UPDATE command.account SET event_number = event_number + $2::bigint,
    run_writer = $3::uuid, run_to = event_number + $2::bigint,
    run_from = CASE WHEN run_writer = $3::uuid AND run_to = event_number THEN run_from ELSE event_number END
  WHERE id = $1::text
  RETURNING event_number - $2::bigint AS base, run_from
)`;

const insertion = placed(INSERT_COLUMNS, 5);
/** Columns that do not depend on whether the command goes out at once. */
const PLAIN_INSERTS = INSERT_COLUMNS.map(({ name }) => name).filter(
  (name) => name !== 'due_time' && !name.startsWith('send_') && !name.endsWith('_steps'),
);

function insertText(conflict: string): string {
  const of = (name: string): string => insertion.value(name, 'n');
  return `WITH ${COUNTER}, ${insertion.fences}, inserted AS (
  INSERT INTO command.command (account_id, sequence, ${PLAIN_INSERTS.join(', ')},
    state, version, attempt, stream_epoch, journal_id, sent_time, due_time, timeline)
  SELECT $1, n.base + n.ord, ${PLAIN_INSERTS.map(of).join(', ')},
    CASE WHEN n.now_sent THEN 'SENT' ELSE 'PENDING' END, CASE WHEN n.now_sent THEN 2 ELSE 1 END,
    CASE WHEN n.now_sent THEN 1 ELSE 0 END, CASE WHEN n.now_sent THEN ${of('send_epoch')} END,
    CASE WHEN n.now_sent THEN n.send_journal END, CASE WHEN n.now_sent THEN ${of('send_time')} END,
    CASE WHEN n.now_sent THEN ${of('send_due')} ELSE ${of('due_time')} END,
    ARRAY[CASE WHEN n.now_sent THEN n.sent_steps ELSE n.issued_steps END::json]
  FROM (
    SELECT r.*, counter.base,
      $4::bigint BETWEEN counter.run_from AND counter.base AND fences.held[${insertion.fence('r')}] IS TRUE AS now_sent
    FROM counter, fences, ${insertion.rows} OFFSET 0) n${conflict}
  RETURNING id, executor_id, sequence, state, timeline[1] AS steps
), history AS (
  INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
  SELECT $1, i.sequence, i.id, i.executor_id, i.steps FROM inserted i
), count AS (
  SELECT count(*)::integer AS stored, (count(*) FILTER (WHERE state = 'SENT'))::integer AS sent FROM inserted
)
SELECT base, run_from, stored, sent,
  CASE WHEN stored < $2::bigint OR sent NOT IN (0, stored)
    THEN (SELECT json_agg(json_build_array(id, sequence, state)) FROM inserted) END AS rows
FROM counter, count`;
}

/**
 * $1 account, $2 how many numbers to take, $3 the writer, $4 the number up to which that knows the account's history, then what
 * `insertParameters` gives. Gives the base number, the number after which all are the writer's, how many commands were
 * stored and how many of them as SENT. A row's sequence is the base and its position; `rows` says which they were when
 * only some were stored, or sent.
 */
export const insertCommands: Statement = { name: 'insert_commands', text: insertText('') };

/**
 * The same for a batch in which commands have a request_id: one that is taken is left out. Apart, because looking out for a
 * conflict makes Postgres write each row in two steps.
 */
export const insertRequestedCommands: Statement = {
  name: 'insert_requested_commands',
  text: insertText('\n  ON CONFLICT (account_id, request_id) WHERE request_id IS NOT NULL DO NOTHING'),
};

const alteration = placed(CHANGE_COLUMNS, 4);

function setColumn({ name }: Column<ChangedCommand>): string {
  const value = alteration.value(name, 'u');
  return `${name} = ${name === 'error_metadata' ? `${value}::jsonb` : value}`;
}

/** What the statement sets from the batch: everything but the columns that only address the row or go to the timeline. */
const SET_COLUMNS = CHANGE_COLUMNS.filter(({ name }) => !['id', 'from_version', 'steps', 'milestones'].includes(name));

/**
 * $1 account, $2 how many numbers to take, $3 the writer, then what `changeParameters` gives. Gives the base number, the number
 * after which all are the writer's, and how many commands were changed; their ids when it was only some of them.
 */
export const changeCommands: Statement = {
  name: 'change_commands',
  text: `WITH ${COUNTER}, ${alteration.fences}, updated AS (
  UPDATE command.command c SET ${SET_COLUMNS.map(setColumn).join(', ')},
    timeline = c.timeline || ARRAY[coalesce(u.milestones::json, u.step_json)]
  FROM (
    SELECT r.*, r.steps::json AS step_json, counter.base, $1::text AS account_id, ${alteration.value('id', 'r')} AS id,
      fences.held[${alteration.fence('r')}] IS NOT FALSE AS may_write
    FROM counter, fences, ${alteration.rows} OFFSET 0) u
  WHERE c.account_id = u.account_id AND c.id = u.id AND c.version = ${alteration.value('from_version', 'u')} AND u.may_write
  RETURNING c.id, c.executor_id, u.step_json, u.base + u.ord AS number
), history AS (
  INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
  SELECT $1, u.number, u.id, u.executor_id, u.step_json FROM updated u
), count AS (SELECT count(*)::integer AS changed FROM updated)
SELECT base, run_from, changed, CASE WHEN changed < $2::bigint THEN (SELECT json_agg(id) FROM updated) END AS ids
FROM counter, count`,
};
