import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { insert, readOpen, readOverdue } from '../../services/command/store/command-store.ts';
import { issue } from '../../services/command/domain/issue.ts';
import { createDatabasePool, type DatabasePool, storeExecutor } from '../harness/database-pool.ts';
import { sampleId, sampleOrder } from '../harness/sample-commands.ts';

let database: DatabasePool;
let pool: Pool;
let made = 0;

beforeAll(async () => {
  database = await createDatabasePool();
  ({ pool } = database);
});

afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  await pool.query('TRUNCATE command.command, command.history_batch');
});

async function newExecutor(accountId: string): Promise<string> {
  const id = sampleId(10_000 + ++made);
  await storeExecutor(pool, accountId, id, `vps-${made}`);
  return id;
}

/** Stores pings, which wait for nothing, PENDING. */
async function issueMany(accountId: string, executorId: string, count: number, nowMs = Date.now()): Promise<string[]> {
  const rows = Array.from({ length: count }, () => {
    const order = sampleOrder({ id: sampleId(++made), accountId, executorId, kind: 'ping', orderingKey: '' });
    const { command, step } = issue(order, nowMs);
    return { command, step, sent: null };
  });
  await insert(pool, { accountId, writer: sampleId(++made), known: 0 }, rows);
  return rows.map(({ command }) => command.id);
}

describe('open commands, page by page', () => {
  test('of executors of several accounts, whose sequences are the same, none is left out', async () => {
    const accounts = ['one', 'two', 'three'];
    const executors = await Promise.all(accounts.map((account) => newExecutor(account)));
    const ids: string[] = [];
    for (const [i, account] of accounts.entries()) ids.push(...(await issueMany(account, executors[i] ?? '', 7)));
    for (const pageRows of [1, 2, 4, 5, 20]) {
      const read: string[] = [];
      for (let after = -1; ; ) {
        const { commands } = await readOpen(pool, executors, after, pageRows);
        read.push(...commands.map(({ id }) => id));
        if (commands.length < pageRows) break;
        after = Math.max(...commands.map(({ sequence }) => sequence));
      }
      expect({ pageRows, read: read.toSorted() }).toEqual({ pageRows, read: ids.toSorted() });
    }
  });
});

describe('overdue commands', () => {
  test('come oldest first, as many as asked for, and none before its time', async () => {
    const executor = await newExecutor('one');
    await issueMany('one', executor, 3);
    const [older] = await issueMany('one', executor, 1, Date.now() - 7_200_000);
    const [newer] = await issueMany('one', executor, 1, Date.now() - 3_600_000);
    expect((await readOverdue(pool, 10)).commands.map(({ id }) => id)).toEqual([older, newer]);
    expect((await readOverdue(pool, 1)).commands.map(({ id }) => id)).toEqual([older]);
  });

  test('of an executor that is not there are found all the same: nothing lives for ever', async () => {
    await newExecutor('one');
    const [lost] = await issueMany('one', sampleId(999_999), 1, Date.now() - 3_600_000);
    const { commands, linkAlive } = await readOverdue(pool, 10);
    expect(commands.map(({ id }) => id)).toEqual([lost]);
    expect([...linkAlive]).toEqual([]);
  });
});
