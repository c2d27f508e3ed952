import type { ChangedCommand, NewCommand } from '../domain/repository.ts';
import type { Statement } from './types.ts';
import {
  ADVANCE_COLUMNS,
  advancesOnly,
  type AnyColumn,
  CHANGE_COLUMNS,
  changeParameters,
  HISTORY_COLUMNS,
  INSERT_COLUMNS,
  insertParameters,
  placed,
} from './write-columns.ts';

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
  (name) => name !== 'due_time' && !name.startsWith('send_') && !HISTORY_COLUMNS.has(name),
);

interface Written {
  /** What has one row for each command that was written, with its id and number; `rows` is their count in `count`. */
  readonly table: string;
  readonly rows: string;
  /** What makes the given steps those that were taken, if all rows were written. */
  readonly asGiven: string;
  /** The steps `given` of one row of `table` otherwise. */
  readonly steps: (given: string) => string;
}

/**
 * History of what was written, in one row. Mostly that is the whole batch, whose arrays go in as they came: a row for each
 * command cost 5 of 29 us of Postgres a lifecycle. Whether it is stands inside of what gathers a part: as a condition of the
 * join it was looked at when the part had been gathered, for 2 us a command.
 */
function historyOf<T>(batch: ReturnType<typeof placed<T>>, { table, rows, asGiven, steps }: Written): string {
  const at = 'w.number - counter.base';
  return `history AS (
  INSERT INTO command.history_batch (account_id, number, first_number, numbers, command_ids, executor_ids, steps)
  SELECT $1, counter.base + $2::bigint, counter.base + 1, part.numbers, coalesce(part.ids, ${batch.array('id')}),
    coalesce(part.executor_ids, ${batch.array('executor_id')}), coalesce(part.steps, ${batch.array('steps')})
  FROM counter CROSS JOIN count LEFT JOIN LATERAL (
    SELECT array_agg(w.number ORDER BY w.number) AS numbers, array_agg(w.id ORDER BY w.number) AS ids,
      array_agg((${batch.array('executor_id')})[${at}] ORDER BY w.number) AS executor_ids,
      array_agg(${steps(`(${batch.array('steps')})[${at}]`)} ORDER BY w.number) AS steps
    FROM ${table} w WHERE NOT (${rows} = $2::bigint AND ${asGiven})) part ON true
  WHERE ${rows} > 0
)`;
}

/** Of a command that was to go out at once and was stored as PENDING, only the first step was taken. */
function onlyTaken(given: string): string {
  return `CASE WHEN w.state = 'SENT' THEN ${given} ELSE '{"s":[' || (${given}::json #>> '{s,0}') || ']}' END`;
}

function insertText(conflict: string): string {
  const of = (name: string): string => insertion.value(name, 'n');
  return `WITH ${COUNTER}, ${insertion.fences}, inserted AS (
  INSERT INTO command.command (account_id, sequence, ${PLAIN_INSERTS.join(', ')},
    state, version, attempt, stream_epoch, journal_id, sent_time, due_time)
  SELECT $1, n.base + n.ord, ${PLAIN_INSERTS.map(of).join(', ')},
    CASE WHEN n.now_sent THEN 'SENT' ELSE 'PENDING' END, CASE WHEN n.now_sent THEN 2 ELSE 1 END,
    CASE WHEN n.now_sent THEN 1 ELSE 0 END, CASE WHEN n.now_sent THEN ${of('send_epoch')} END,
    CASE WHEN n.now_sent THEN n.send_journal END, CASE WHEN n.now_sent THEN ${of('send_time')} END,
    CASE WHEN n.now_sent THEN ${of('send_due')} ELSE ${of('due_time')} END
  FROM (
    SELECT r.*, counter.base,
      $4::bigint BETWEEN counter.run_from AND counter.base AND fences.held[${insertion.fence('r')}] IS TRUE AS now_sent
    FROM counter, fences, ${insertion.rows} OFFSET 0) n${conflict}
  RETURNING id, sequence AS number, state
), count AS (
  SELECT count(*)::integer AS stored, (count(*) FILTER (WHERE state = 'SENT'))::integer AS sent FROM inserted
), ${historyOf(insertion, { table: 'inserted', rows: 'stored', asGiven: `sent = ${insertion.fenced}`, steps: onlyTaken })}
SELECT base, run_from, stored, sent,
  CASE WHEN stored < $2::bigint OR sent NOT IN (0, stored)
    THEN (SELECT json_agg(json_build_array(id, number, state)) FROM inserted) END AS rows
FROM counter, count`;
}

/**
 * $1 account, $2 how many numbers to take, $3 the writer, $4 the number up to which that knows the account's history, then what
 * `prepareInsert` gives. Gives the base number, the number after which all are the writer's, how many commands were
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

/** Columns that are not set: they say which row is meant, or what its history is. */
const BESIDE_COLUMNS: ReadonlySet<string> = new Set(['id', 'from_version', 'executor_id', 'steps', 'milestone']);

function changeText(columns: readonly AnyColumn<ChangedCommand>[]): string {
  const alteration = placed(columns, 4);
  const set = columns
    .filter(({ name }) => !BESIDE_COLUMNS.has(name))
    .map(({ name }) => `${name} = ${alteration.value(name, 'u')}${name === 'error_metadata' ? '::jsonb' : ''}`);
  return `WITH ${COUNTER}, ${alteration.fences}, updated AS (
  UPDATE command.command c SET ${set.join(', ')},
    change_numbers = CASE WHEN ${alteration.value('milestone', 'u')}
      THEN c.change_numbers || (u.base + u.ord) ELSE c.change_numbers END
  FROM (
    SELECT r.*, counter.base, $1::text AS account_id, ${alteration.value('id', 'r')} AS id,
      fences.held[${alteration.fence('r')}] IS NOT FALSE AS may_write
    FROM counter, fences, ${alteration.rows} OFFSET 0) u
  WHERE c.account_id = u.account_id AND c.id = u.id AND c.version = ${alteration.value('from_version', 'u')} AND u.may_write
  RETURNING c.id, u.base + u.ord AS number
), count AS (
  SELECT count(*)::integer AS changed FROM updated
), ${historyOf(alteration, { table: 'updated', rows: 'changed', asGiven: 'true', steps: (given) => given })}
SELECT base, run_from, changed, CASE WHEN changed < $2::bigint THEN (SELECT json_agg(id) FROM updated) END AS ids
FROM counter, count`;
}

/**
 * $1 account, $2 how many numbers to take, $3 the writer, then what `prepareChange` gives. Gives the base number, the number
 * after which all are the writer's, and how many commands were changed; their ids when it was only some of them.
 */
export const changeCommands: Statement = { name: 'change_commands', text: changeText(CHANGE_COLUMNS) };

/** The same for a batch in which commands do nothing but go their way: 12 columns instead of 27. */
export const advanceCommands: Statement = { name: 'advance_commands', text: changeText(ADVANCE_COLUMNS) };

/** A statement with the parameters that come after those of the account. */
export interface PreparedWrite {
  readonly statement: Statement;
  readonly values: readonly (Buffer | null)[];
}

/** @throws RangeError or TypeError for what cannot be stored. */
export function prepareInsert(rows: readonly NewCommand[]): PreparedWrite {
  const requested = rows.some(({ command }) => command.requestId !== null);
  return { statement: requested ? insertRequestedCommands : insertCommands, values: insertParameters(rows) };
}

/** @throws RangeError or TypeError for what cannot be stored. */
export function prepareChange(rows: readonly ChangedCommand[]): PreparedWrite {
  return rows.every(advancesOnly)
    ? { statement: advanceCommands, values: changeParameters(ADVANCE_COLUMNS, rows) }
    : { statement: changeCommands, values: changeParameters(CHANGE_COLUMNS, rows) };
}
