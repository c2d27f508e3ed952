import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { issue } from '../../services/command/domain/issue.ts';
import type { ChangedCommand, NewCommand } from '../../services/command/domain/repository.ts';
import type { Command, Step } from '../../services/command/domain/command.ts';
import { type CommandEvent, transition } from '../../services/command/domain/transition.ts';
import { commandReader } from '../../services/command/store/command-reader.ts';
import { change, insert, quarantine, readChanged } from '../../services/command/store/command-store.ts';
import { createDatabasePool, type DatabasePool, storeExecutor } from '../harness/database-pool.ts';
import { sampleId, sampleOrder } from '../harness/sample-commands.ts';

const ACCOUNT = 'main';
const EPOCH = 7;
const WRITER = sampleId(9_999);
const [HELD, AWAY] = [sampleId(10_001), sampleId(10_002)];
const RECEIVED: CommandEvent = { type: 'received', atMs: Date.now() };
let database: DatabasePool;
let pool: Pool;
let made = 0;

beforeAll(async () => {
  database = await createDatabasePool();
  ({ pool } = database);
  await storeExecutor(pool, ACCOUNT, HELD, 'held');
  await storeExecutor(pool, ACCOUNT, AWAY, 'away');
  await pool.query('UPDATE command.executor SET stream_epoch = $1 WHERE id = $2', [EPOCH, HELD]);
});

afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  await pool.query('TRUNCATE command.command, command.history_batch');
  await pool.query('UPDATE command.account SET event_number = 0, removed_number = 0, run_writer = NULL');
});

/** A ping for an executor: to be stored as SENT for the one whose stream is held, unless something comes between. */
function ping(executorId: string, requestId: string | null = null): NewCommand {
  const fingerprint = requestId === null ? null : Buffer.alloc(32);
  const id = sampleId(++made);
  const order = { id, accountId: ACCOUNT, executorId, requestId, fingerprint, kind: 'ping', orderingKey: '' } as const;
  const { command, step } = issue(sampleOrder(order), Date.now());
  const sent = transition(command, { type: 'sent', epoch: EPOCH, journalId: 'j' }, Date.now());
  return { command, step, sent: executorId === HELD ? sent : null };
}

async function stored(rows: readonly NewCommand[], known = 0): Promise<readonly number[]> {
  const { commands } = await insert(pool, { accountId: ACCOUNT, writer: WRITER, known }, rows);
  return rows.map(({ command }) => commands.get(command.id)?.sequence ?? 0);
}

const sentOf = (row: NewCommand): Command => row.sent?.command ?? row.command;

/** Number, command, executor and states of every entry, as a follower gets them who takes so many at a time. */
async function follow(entriesMax: number, executorId?: string): Promise<string[]> {
  const reader = commandReader(pool);
  const lines: string[] = [];
  for (let after = 0; ; ) {
    const { entries, throughNumber, more } = await reader.historyAfter(ACCOUNT, after, { entriesMax, executorId });
    expect(entries.length).toBeLessThanOrEqual(entriesMax);
    for (const { number, commandId, steps } of entries) {
      lines.push(`${number} ${commandId} ${steps.map(({ to }) => to).join()}`);
    }
    if (!more) return lines;
    expect(throughNumber).toBeGreaterThan(after);
    after = throughNumber;
  }
}

const line = (number: number, { command }: NewCommand, states: string) => `${number} ${command.id} ${states}`;

/** The command after each of these events. */
function onward(before: Command, ...events: readonly CommandEvent[]): ChangedCommand {
  let [command, steps]: [Command, Step[]] = [before, []];
  for (const event of events) {
    const next = transition(command, event, Date.now());
    if (next === null) throw new Error(`${event.type} changes nothing`);
    command = next.command;
    steps = [...steps, next.step];
  }
  return { command, before, steps, fenceEpoch: EPOCH };
}

/** The same, made from what is not stored. */
const stale = (row: ChangedCommand): ChangedCommand => ({ ...row, before: { ...row.before, version: 99 } });
const write = (changes: readonly ChangedCommand[]) => change(pool, { accountId: ACCOUNT, writer: WRITER }, changes);

async function timeline({ command }: NewCommand): Promise<string[]> {
  return (await commandReader(pool).timelineOf(ACCOUNT, command.id)).map(({ cause }) => cause);
}

describe('the timeline of a command', () => {
  const atMs = Date.now();
  const progressed: CommandEvent = { type: 'progressed', atMs, progress: new Uint8Array([1]) };
  const finished: CommandEvent = { type: 'finished', atMs, attempt: 1, state: 'SUCCEEDED', result: null, error: null };

  test("has its own steps and nobody else's, without interim progress", async () => {
    const rows = [ping(HELD), ping(AWAY), ping(HELD)];
    await stored(rows);
    const [one, waits, other] = rows;
    if (one === undefined || waits === undefined || other === undefined) throw new Error('there are three');
    const started = [one, other].map((row) => onward(sentOf(row), RECEIVED, { type: 'started', atMs }));
    await write(started);
    const further = started.map((each) => onward(each.command, progressed));
    await write(further);
    expect(await timeline(one)).toEqual(['issued', 'sent', 'received', 'started']);
    await write(further.map((each) => onward(each.command, progressed, finished)));
    expect(await timeline(one)).toEqual(['issued', 'sent', 'received', 'started', 'finished']);
    expect(await timeline(other)).toEqual(['issued', 'sent', 'received', 'started', 'finished']);
    expect(await timeline(waits)).toEqual(['issued']);
    const { rows: kept } = await pool.query<{ numbers: number }>(
      'SELECT cardinality(change_numbers) AS numbers FROM command.command WHERE id = $1',
      [one.command.id],
    );
    expect(kept).toEqual([{ numbers: 2 }]);
  });

  test('leaves out what was refused beside it, and what was not sent after all', async () => {
    await stored([ping(AWAY)]);
    await insert(pool, { accountId: ACCOUNT, writer: sampleId(9_998), known: 0 }, [ping(AWAY)]);
    const rows = [ping(HELD), ping(HELD)];
    await stored(rows, 1);
    for (const row of rows) expect(await timeline(row)).toEqual(['issued']);
    const [one, other] = rows;
    if (one === undefined || other === undefined) throw new Error('there are two');
    const cancelled = rows.map((row) => onward(row.command, { type: 'cancel_requested' }));
    await write(cancelled.map((each, i) => (i === 0 ? stale(each) : each)));
    expect(await timeline(one)).toEqual(['issued']);
    expect(await timeline(other)).toEqual(['issued', 'cancelled']);
  });

  test('begins later when its history has been removed', async () => {
    const [row] = [ping(HELD)];
    await stored([row]);
    await write([onward(sentOf(row), RECEIVED)]);
    await pool.query('DELETE FROM command.history_batch WHERE number = 1');
    expect(await timeline(row)).toEqual(['received']);
  });
});

describe('the history of one write', () => {
  test('comes to whoever follows it command by command', async () => {
    const rows = Array.from({ length: 7 }, () => ping(HELD));
    await stored(rows);
    await change(
      pool,
      { accountId: ACCOUNT, writer: WRITER },
      rows.map((row) => onward(sentOf(row), RECEIVED)),
    );
    const lines = [
      ...rows.map((row, i) => line(i + 1, row, 'PENDING,SENT')),
      ...rows.map((row, i) => line(i + 8, row, 'RECEIVED')),
    ];
    // However a page cuts it.
    for (const entriesMax of [1, 2, 3, 7, 8, 100])
      expect({ entriesMax, lines: await follow(entriesMax) }).toEqual({ entriesMax, lines });
  });

  test('is narrowed to one executor, wherever its commands stand in it', async () => {
    const rows = [HELD, AWAY, HELD, AWAY, AWAY].map((executor) => ping(executor));
    await stored(rows);
    const ofAway = [1, 3, 4].flatMap((i) => (rows[i] === undefined ? [] : [line(i + 1, rows[i], 'PENDING')]));
    for (const entriesMax of [1, 2, 100]) expect(await follow(entriesMax, AWAY)).toEqual(ofAway);
    const { commands } = await readChanged(pool, ACCOUNT, 2, 4, [AWAY]);
    expect(commands.map(({ id }) => id)).toEqual([rows[3]?.command.id]);
  });

  test('has the steps that were stored, where some commands went out at once and some wait', async () => {
    const rows = [HELD, AWAY, HELD].map((executor) => ping(executor));
    await stored(rows);
    expect(await follow(100)).toEqual(
      rows.map((row, i) => line(i + 1, row, row.sent === null ? 'PENDING' : 'PENDING,SENT')),
    );
  });

  test('says PENDING of all when somebody else has written in between', async () => {
    await stored([ping(AWAY)]);
    await insert(pool, { accountId: ACCOUNT, writer: sampleId(9_998), known: 0 }, [ping(AWAY)]);
    const rows = [ping(HELD), ping(HELD)];
    await stored(rows, 1);
    expect((await follow(100)).slice(2)).toEqual(rows.map((row, i) => line(i + 3, row, 'PENDING')));
  });

  test('leaves out what was not written, and keeps the numbers of the rest', async () => {
    const first = [ping(AWAY, 'a'), ping(AWAY, 'b')];
    await stored(first);
    const second = [ping(AWAY, 'c'), ping(AWAY, 'a'), ping(AWAY, 'd')];
    expect(await stored(second)).toEqual([3, 0, 5]);
    expect((await follow(1)).slice(2)).toEqual(
      [3, 5].flatMap((number, i) => {
        const row = second[i * 2];
        return row === undefined ? [] : [line(number, row, 'PENDING')];
      }),
    );

    const rows = [ping(HELD), ping(HELD), ping(HELD)];
    await stored(rows, 5);
    const changes = rows.map((row) => onward(sentOf(row), RECEIVED));
    await write(changes.map((each, i) => (i === 1 ? stale(each) : each)));
    expect((await follow(100)).slice(-2)).toEqual(
      [0, 2].flatMap((i) => (rows[i] === undefined ? [] : [line(9 + i, rows[i], 'RECEIVED')])),
    );
  });

  test('tells of a command that was set aside', async () => {
    const rows = [ping(AWAY), ping(AWAY)];
    await stored(rows);
    const [bad] = rows;
    if (bad === undefined) throw new Error('there is none');
    const { id, executorId, accountId, version } = bad.command;
    await quarantine(pool, [{ id, executorId, accountId, version, sequence: 1, defect: 'kind: junk' }]);
    expect((await follow(100)).at(-1)).toBe(line(3, bad, 'FAILED'));
  });
});
