import type { Pool, PoolClient, QueryResultRow } from 'pg';
import type { CommandState } from '../domain/command.ts';
import type { ChangedCommand, NewCommand, ReadCommands, UnreadableCommand } from '../domain/repository.ts';
import { type CommandRow, readCommandRows } from './command-row.ts';
import {
  countOpenCommands,
  failQuarantined,
  lockSupersedable,
  quarantineRows,
  readChangedCommands,
  readCommandsById,
  readCommandsByRequest,
  readEventNumbers,
  readOpenCommands,
  readOverdueCommands,
  readUnsettledCommands,
} from './read-statements.ts';
import { rowTypes, type Statement } from './types.ts';
import { prepareChange, prepareInsert } from './write-statements.ts';

/** Where a statement runs: on the pool, or within somebody's transaction. */
export type Connection = Pool | PoolClient;

/** The account that is written to, and who writes. */
export interface WriteAccount {
  readonly accountId: string;
  /** Id of an unbroken series of writes. */
  readonly writer: string;
}

export interface InsertAccount extends WriteAccount {
  /** Up to this number the writer knows the account's history. */
  readonly known: number;
}

interface Numbers {
  /** The account's number before this write took its own. */
  readonly baseNumber: number;
  /** Numbers after this one were taken by the same writer, the write's own included. */
  readonly runFrom: number;
}

export interface Inserted extends Numbers {
  /** How many were stored as SENT. */
  readonly sent: number;
  readonly commands: ReadonlyMap<string, { readonly sequence: number; readonly state: CommandState }>;
}

export interface Changed extends Numbers {
  readonly ids: ReadonlySet<string>;
}

interface InsertedRow {
  readonly base: number;
  readonly run_from: number;
  readonly stored: number;
  readonly sent: number;
  /** Null when all were stored in the same state, and when none was. */
  readonly rows: readonly (readonly [id: string, sequence: number, state: CommandState])[] | null;
}

interface ChangedRow {
  readonly base: number;
  readonly run_from: number;
  readonly changed: number;
  /** Null when all were changed, and when none was. */
  readonly ids: readonly string[] | null;
}

interface EventNumberRow {
  readonly id: string;
  readonly event_number: number;
}

interface OpenCountRow {
  readonly executor_id: string;
  readonly open: number;
  readonly in_flight: number;
}

/** Runs a prepared statement with our type parsers; `Row` says what its columns are. */
export async function run<Row extends QueryResultRow = CommandRow>(
  connection: Connection,
  statement: Statement,
  values: unknown[],
): Promise<Row[]> {
  const { rows } = await connection.query<Row>({ ...statement, values, types: rowTypes });
  return rows;
}

/** Inserts new commands of one account; those whose request_id is taken are left out of the answer. */
export async function insert(
  connection: Connection,
  { accountId, writer, known }: InsertAccount,
  commands: readonly NewCommand[],
  { statement, values } = prepareInsert(commands),
): Promise<Inserted> {
  const row = written(
    await run<InsertedRow>(connection, statement, [accountId, commands.length, writer, known, ...values]),
    accountId,
  );
  return { baseNumber: row.base, runFrom: row.run_from, sent: row.sent, commands: storedOf(row, commands) };
}

function storedOf({ base, stored, sent, rows }: InsertedRow, commands: readonly NewCommand[]): Inserted['commands'] {
  if (rows !== null) return new Map(rows.map(([id, sequence, state]) => [id, { sequence, state }]));
  if (stored === 0) return new Map();
  const state = sent > 0 ? 'SENT' : 'PENDING';
  return new Map(commands.map(({ command }, i) => [command.id, { sequence: base + i + 1, state }]));
}

/** Writes changed commands of one account; those whose version or epoch has moved on are left out of the answer. */
export async function change(
  connection: Connection,
  { accountId, writer }: WriteAccount,
  commands: readonly ChangedCommand[],
  { statement, values } = prepareChange(commands),
): Promise<Changed> {
  const row = written(
    await run<ChangedRow>(connection, statement, [accountId, commands.length, writer, ...values]),
    accountId,
  );
  const all = row.changed === commands.length ? commands.map(({ command }) => command.id) : null;
  return { baseNumber: row.base, runFrom: row.run_from, ids: new Set(row.ids ?? all) };
}

function written<Row>([row]: readonly Row[], accountId: string): Row {
  if (row === undefined) throw new Error(`account "${accountId}" has no row in command.account`);
  return row;
}

export async function readByIds(
  connection: Connection,
  accountId: string,
  ids: readonly string[],
): Promise<ReadCommands> {
  return readCommandRows(await run(connection, readCommandsById, [accountId, ids]));
}

export async function readByRequestIds(
  connection: Connection,
  accountId: string,
  requestIds: readonly string[],
): Promise<ReadCommands> {
  return readCommandRows(await run(connection, readCommandsByRequest, [accountId, requestIds]));
}

/** One page of the open commands of these executors in issue order, after `afterSequence`. */
export async function readOpen(
  connection: Connection,
  executorIds: readonly string[],
  afterSequence: number,
  commandsMax: number,
): Promise<ReadCommands> {
  return readCommandRows(await run(connection, readOpenCommands, [executorIds, afterSequence, commandsMax]));
}

export async function readUnsettled(
  connection: Connection,
  executorIds: readonly string[],
  perExecutorMax: number,
): Promise<ReadCommands> {
  return readCommandRows(await run(connection, readUnsettledCommands, [executorIds, perExecutorMax]));
}

/** Newest number of each account's history. */
export async function eventNumbers(
  connection: Connection,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await run<EventNumberRow>(connection, readEventNumbers, [accountIds]);
  return new Map(rows.map((row) => [row.id, row.event_number]));
}

/** The commands of these executors that changed after one number and up to another. */
export async function readChanged(
  connection: Connection,
  accountId: string,
  afterNumber: number,
  throughNumber: number,
  executorIds: readonly string[],
): Promise<ReadCommands> {
  return readCommandRows(
    await run(connection, readChangedCommands, [accountId, afterNumber, throughNumber, executorIds]),
  );
}

export interface Overdue extends ReadCommands {
  /** Ids of the commands whose executor has a live stream somewhere. */
  readonly linkAlive: ReadonlySet<string>;
}

export async function readOverdue(connection: Connection, commandsMax: number): Promise<Overdue> {
  const rows = await run(connection, readOverdueCommands, [commandsMax]);
  const alive = rows.filter((row) => row['link_alive'] === true).map((row) => String(row['id']));
  return { ...readCommandRows(rows), linkAlive: new Set(alive) };
}

/** Open commands of these kinds, locked until the transaction ends. */
export async function lockOpenOfKinds(
  connection: PoolClient,
  accountId: string,
  executorIds: readonly string[],
  kinds: readonly string[],
): Promise<ReadCommands> {
  return readCommandRows(await run(connection, lockSupersedable, [accountId, executorIds, kinds]));
}

export interface OpenCount {
  readonly open: number;
  readonly inFlight: number;
}

export async function countOpen(
  connection: Connection,
  executorIds: readonly string[],
): Promise<ReadonlyMap<string, OpenCount>> {
  const rows = await run<OpenCountRow>(connection, countOpenCommands, [executorIds]);
  return new Map(rows.map((row) => [row.executor_id, { open: row.open, inFlight: row.in_flight }]));
}

/** Sets unreadable rows aside with their defect and ends them FAILED. */
export async function quarantine(connection: Connection, rows: readonly UnreadableCommand[]): Promise<void> {
  for (const accountId of new Set(rows.map((row) => row.accountId))) {
    const own = rows.filter((row) => row.accountId === accountId);
    const ids = own.map((row) => row.id);
    await run(connection, quarantineRows, [accountId, ids, own.map((row) => row.defect)]);
    const messages = own.map((row) => `the stored command cannot be read: ${row.defect}`);
    await run(connection, failQuarantined, [accountId, ids, messages]);
  }
}
