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
import { changeCommands, changeParameters, insertCommands, insertParameters } from './write-statements.ts';

/** Where a statement runs: on the pool, or within somebody's transaction. */
export type Connection = Pool | PoolClient;

export interface Inserted {
  /** The account's number before this write took its own. */
  readonly baseNumber: number;
  readonly commands: ReadonlyMap<string, { readonly sequence: number; readonly state: CommandState }>;
}

export interface Changed {
  readonly baseNumber: number;
  readonly ids: ReadonlySet<string>;
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
  accountId: string,
  commands: readonly NewCommand[],
  knownNumber: number,
): Promise<Inserted> {
  const values = [accountId, commands.length, knownNumber, ...insertParameters(commands)];
  const rows = await run(connection, insertCommands, values);
  const stored = new Map<string, { sequence: number; state: CommandState }>();
  for (const row of rows) {
    if (row['id'] !== null) {
      stored.set(row['id'] as string, { sequence: row['sequence'] as number, state: row['state'] as CommandState });
    }
  }
  return { baseNumber: baseOf(rows), commands: stored };
}

/** Writes changed commands of one account; those whose version or epoch has moved on are left out of the answer. */
export async function change(
  connection: Connection,
  accountId: string,
  commands: readonly ChangedCommand[],
): Promise<Changed> {
  const rows = await run(connection, changeCommands, [accountId, commands.length, ...changeParameters(commands)]);
  return {
    baseNumber: baseOf(rows),
    ids: new Set(rows.flatMap((row) => (row['id'] === null ? [] : [row['id'] as string]))),
  };
}

function baseOf(rows: readonly CommandRow[]): number {
  const base = rows[0]?.['base'];
  if (typeof base !== 'number') throw new Error('the account has no row in command.account');
  return base;
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
  const rows = await run(connection, readEventNumbers, [accountIds]);
  return new Map(rows.map((row) => [row['id'] as string, row['event_number'] as number]));
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
  const rows = await run(connection, countOpenCommands, [executorIds]);
  return new Map(
    rows.map((row) => [
      row['executor_id'] as string,
      { open: row['open'] as number, inFlight: row['in_flight'] as number },
    ]),
  );
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
