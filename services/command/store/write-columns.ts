import type { Step } from '../domain/command.ts';
import type { ChangedCommand, NewCommand } from '../domain/repository.ts';
import {
  type ArrayElement,
  arrayParameter,
  type ElementType,
  type LooseType,
  textArrayParameter,
} from './array-parameter.ts';
import { putSteps, stepsBytesMax } from './step-row.ts';

/** One array parameter: a column of all rows of a batch. */
interface Column<T> {
  readonly name: string;
  readonly type: ElementType;
  readonly of: (row: T) => ArrayElement;
}

/** The same of steps, which are stored as text. */
interface StepsColumn<T> {
  readonly name: 'steps';
  readonly type: 'text';
  readonly stepsOf: (row: T) => readonly Step[];
}

export type AnyColumn<T> = Column<T> | StepsColumn<T>;

const STEPS: LooseType<readonly Step[]> = { bytesMax: stepsBytesMax, put: putSteps };

export const INSERT_COLUMNS: readonly AnyColumn<NewCommand>[] = [
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
  // A command whose executor's stream is held right here is inserted as SENT, if nothing came between.
  { name: 'send_epoch', type: 'bigint', of: (n) => n.sent?.command.streamEpoch ?? null },
  { name: 'send_journal', type: 'text', of: (n) => n.sent?.command.journalId ?? null },
  { name: 'send_time', type: 'timestamptz', of: (n) => n.sent?.command.sentMs ?? null },
  { name: 'send_due', type: 'timestamptz', of: (n) => n.sent?.command.dueMs ?? null },
  { name: 'steps', type: 'text', stepsOf: (n) => (n.sent === null ? [n.step] : [n.step, n.sent.step]) },
];

/** Columns that change while a command goes the way that most go. */
export const ADVANCE_COLUMNS: readonly AnyColumn<ChangedCommand>[] = [
  { name: 'id', type: 'uuid', of: (c) => c.command.id },
  { name: 'from_version', type: 'integer', of: (c) => c.before.version },
  { name: 'executor_id', type: 'uuid', of: (c) => c.command.executorId },
  { name: 'steps', type: 'text', stepsOf: (c) => c.steps },
  // Interim progress is in the history alone.
  { name: 'milestone', type: 'boolean', of: (c) => c.steps.some(({ cause }) => cause !== 'progressed') },
  { name: 'version', type: 'integer', of: (c) => c.command.version },
  { name: 'state', type: 'text', of: (c) => c.command.state },
  { name: 'received_time', type: 'timestamptz', of: (c) => c.command.receivedMs },
  { name: 'start_time', type: 'timestamptz', of: (c) => c.command.startMs },
  { name: 'finish_time', type: 'timestamptz', of: (c) => c.command.finishMs },
  { name: 'due_time', type: 'timestamptz', of: (c) => c.command.dueMs },
  { name: 'result', type: 'bytea', of: (c) => c.command.result },
];

export const CHANGE_COLUMNS: readonly AnyColumn<ChangedCommand>[] = [
  ...ADVANCE_COLUMNS,
  { name: 'attempt', type: 'integer', of: (c) => c.command.attempt },
  { name: 'failures', type: 'integer', of: (c) => c.command.failures },
  { name: 'resends', type: 'integer', of: (c) => c.command.resends },
  { name: 'stream_epoch', type: 'bigint', of: (c) => c.command.streamEpoch },
  { name: 'journal_id', type: 'text', of: (c) => c.command.journalId },
  { name: 'sent_time', type: 'timestamptz', of: (c) => c.command.sentMs },
  { name: 'progress_time', type: 'timestamptz', of: (c) => c.command.progressMs },
  { name: 'cancel_request_time', type: 'timestamptz', of: (c) => c.command.cancelRequestMs },
  { name: 'settle_time', type: 'timestamptz', of: (c) => c.command.settleMs },
  { name: 'retry_time', type: 'timestamptz', of: (c) => c.command.retryMs },
  { name: 'error_reason', type: 'text', of: (c) => c.command.error?.reason ?? null },
  { name: 'error_message', type: 'text', of: (c) => c.command.error?.message ?? null },
  { name: 'error_hop', type: 'text', of: (c) => c.command.error?.hop ?? null },
  { name: 'error_retryable', type: 'boolean', of: (c) => c.command.error?.retryable ?? null },
  {
    name: 'error_metadata',
    type: 'text',
    of: (c) => (c.command.error === null ? null : JSON.stringify(c.command.error.metadata)),
  },
  { name: 'progress', type: 'bytea', of: (c) => c.command.progress },
  { name: 'note', type: 'text', of: (c) => c.command.note },
  { name: 'unsettled', type: 'boolean', of: (c) => c.command.unsettled },
  { name: 'settled_by', type: 'text', of: (c) => c.command.settledBy },
];

/** True when nothing changes but what `ADVANCE_COLUMNS` hold. */
export function advancesOnly({ before, command }: ChangedCommand): boolean {
  return (
    command.attempt === before.attempt &&
    command.failures === before.failures &&
    command.resends === before.resends &&
    command.streamEpoch === before.streamEpoch &&
    command.journalId === before.journalId &&
    command.sentMs === before.sentMs &&
    command.progressMs === before.progressMs &&
    command.cancelRequestMs === before.cancelRequestMs &&
    command.settleMs === before.settleMs &&
    command.retryMs === before.retryMs &&
    command.error === before.error &&
    command.progress === before.progress &&
    command.note === before.note &&
    command.unsettled === before.unsettled &&
    command.settledBy === before.settledBy
  );
}

/** A stream that rows of a batch rest on: each is looked up once a statement, however many rows name it. */
interface Fence {
  readonly executorId: string;
  readonly epoch: number;
}

const FENCE_COLUMNS: readonly AnyColumn<Fence>[] = [
  { name: 'executor_id', type: 'uuid', of: (fence) => fence.executorId },
  { name: 'epoch', type: 'bigint', of: (fence) => fence.epoch },
];

/** Columns that only the batch of history takes, as the array that they came in. */
export const HISTORY_COLUMNS: ReadonlySet<string> = new Set(['steps']);

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
export function placed<T>(columns: readonly AnyColumn<T>[], first: number) {
  const firstColumn = first + FENCE_COLUMNS.length + 1;
  const parameter = ({ type }: AnyColumn<T>, i: number): string => `$${firstColumn + i}::${type}[]`;
  const isLoose = ({ name, type }: AnyColumn<T>): boolean => !FIXED_TYPES.has(type) && !HISTORY_COLUMNS.has(name);
  const loose = columns.map((column, i) => ({ column, i })).filter(({ column }) => isLoose(column));
  const named = (name: string): { readonly column: AnyColumn<T>; readonly i: number } => {
    const i = columns.findIndex((column) => column.name === name);
    const column = columns[i];
    if (column === undefined) throw new Error(`no column is called ${name}`);
    return { column, i };
  };
  const unnested = loose.map(({ column, i }) => parameter(column, i)).join(', ');
  return {
    rows: `unnest(${unnested}) WITH ORDINALITY AS r(${loose.map(({ column }) => column.name).join(', ')}, ord)`,
    /** A column's value, where the rows are called `alias`. */
    value: (name: string, alias: string): string => {
      const { column, i } = named(name);
      return isLoose(column) ? `${alias}.${name}` : `(${parameter(column, i)})[${alias}.ord]`;
    },
    /** A column's values of all rows. */
    array: (name: string): string => {
      const { column, i } = named(name);
      return parameter(column, i);
    },
    fences: `fences AS MATERIALIZED (
  SELECT array_agg(EXISTS (SELECT FROM command.executor e WHERE e.id = f.executor_id AND e.stream_epoch = f.epoch)
    ORDER BY f.ord) AS held
  FROM unnest($${first}::uuid[], $${first + 1}::bigint[]) WITH ORDINALITY AS f(executor_id, epoch, ord)
)`,
    /** Position of the row's fence. */
    fence: (alias: string): string => `($${first + 2}::integer[])[${alias}.ord]`,
    /** How many rows rest on a fence. */
    fenced: `coalesce(cardinality(array_remove($${first + 2}::integer[], NULL)), 0)`,
  };
}

function parameters<T>(
  columns: readonly AnyColumn<T>[],
  rows: readonly T[],
  fenceOf: (row: T) => Fence | null,
): (Buffer | null)[] {
  const fences: Fence[] = [];
  const places = new Map<string, number>();
  const placeOf = (row: T): number | null => {
    const fence = fenceOf(row);
    if (fence === null) return null;
    const known = places.get(fence.executorId);
    if (known !== undefined && fences[known - 1]?.epoch === fence.epoch) return known;
    const place = fences.push(fence);
    places.set(fence.executorId, place);
    return place;
  };
  const fencePlaces = arrayParameter('integer', rows, placeOf);
  return [
    ...FENCE_COLUMNS.map((column) => literal(column, fences)),
    fencePlaces,
    ...columns.map((column) => literal(column, rows)),
  ];
}

function literal<T>(column: AnyColumn<T>, rows: readonly T[]): Buffer | null {
  if ('stepsOf' in column) return textArrayParameter(rows, column.stepsOf, STEPS);
  return arrayParameter(column.type, rows, column.of);
}

export function insertParameters(rows: readonly NewCommand[]): (Buffer | null)[] {
  return parameters(INSERT_COLUMNS, rows, ({ sent }) =>
    sent === null ? null : { executorId: sent.command.executorId, epoch: sent.command.streamEpoch ?? 0 },
  );
}

export function changeParameters(
  columns: readonly AnyColumn<ChangedCommand>[],
  rows: readonly ChangedCommand[],
): (Buffer | null)[] {
  return parameters(columns, rows, ({ command, fenceEpoch }) =>
    fenceEpoch === 0 ? null : { executorId: command.executorId, epoch: fenceEpoch },
  );
}
