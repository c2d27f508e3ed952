import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AccountLedger } from '../../services/command/delivery/account-ledger.ts';
import { isStored } from '../../services/command/delivery/insert-queue.ts';
import type { Command } from '../../services/command/domain/command.ts';
import { issue } from '../../services/command/domain/issue.ts';
import type { ChangedCommand, NewCommand } from '../../services/command/domain/repository.ts';
import { transition } from '../../services/command/domain/transition.ts';
import { systemClock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createDatabasePool, type DatabasePool, storeExecutor } from '../harness/database-pool.ts';
import { sampleId, sampleOrder } from '../harness/sample-commands.ts';
import { until } from '../harness/until.ts';

const ACCOUNT = 'one';
const EPOCH = 7;
/** So many that new commands and changes go side by side. */
const MANY = 150;

let database: DatabasePool;
let pool: Pool;
let executorId: string;
let made = 0;

/** The stream of one executor that takes everything at once, once it is open. */
const stream = {
  open: false,
  confirmed: new Set<string>(),
  released: new Set<string>(),
};
let ledger: AccountLedger;

beforeAll(async () => {
  database = await createDatabasePool();
  ({ pool } = database);
});

afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  executorId = sampleId(10_000 + ++made);
  await storeExecutor(pool, ACCOUNT, executorId, `vps-${made}`);
  await pool.query('UPDATE command.executor SET stream_epoch = $1 WHERE id = $2', [EPOCH, executorId]);
  Object.assign(stream, { open: false, confirmed: new Set(), released: new Set() });
  ledger = new AccountLedger(ACCOUNT, {
    pool,
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    streams: {
      executorIds: () => [executorId],
      holds: () => true,
      admit: (command) => (stream.open ? sent(command) : null),
      confirm: ({ id }) => stream.confirmed.add(id),
      release: ({ id }) => stream.released.add(id),
      merge: () => undefined,
      setAside: () => undefined,
    },
    wake: () => undefined,
    committed: () => undefined,
  });
  await ledger.sync();
});

function sent(command: Command): NewCommand['sent'] {
  return transition(command, { type: 'sent', epoch: EPOCH, journalId: 'j' }, Date.now());
}

function newCommand(): NewCommand {
  const order = sampleOrder({ id: sampleId(++made), accountId: ACCOUNT, executorId, kind: 'ping', orderingKey: '' });
  const { command, step } = issue(order, Date.now());
  return { command, step, sent: null };
}

async function insertMany(count: number): Promise<Command[]> {
  const outcomes = await ledger.insert(Array.from({ length: count }, newCommand));
  return outcomes.filter(isStored);
}

function cancelled(command: Command): ChangedCommand {
  const moved = transition(command, { type: 'cancel_requested' }, Date.now());
  if (moved === null) throw new Error(`${command.state} cannot be cancelled`);
  return { command: moved.command, before: command, steps: [moved.step], fenceEpoch: 0 };
}

async function storedNumber(): Promise<unknown> {
  const { rows } = await pool.query<{ n: string }>('SELECT event_number AS n FROM command.account WHERE id = $1', [
    ACCOUNT,
  ]);
  return Number(rows[0]?.n);
}

test('many commands and many changes side by side: each is written, and the numbers add up', async () => {
  const waiting = await insertMany(MANY);
  stream.open = true;
  const inserted = insertMany(4 * MANY);
  const written = Promise.all(waiting.map((command) => ledger.change(cancelled(command))));
  const stored = await inserted;
  expect(stored.map(({ state }) => state)).toEqual(Array.from(stored, () => 'SENT'));
  expect(new Set(stored.map(({ sequence }) => sequence)).size).toBe(4 * MANY);
  expect(new Set(await written)).toEqual(new Set([true]));
  expect([stream.confirmed.size, stream.released.size]).toEqual([4 * MANY, 0]);
  expect(ledger.knownNumber).toBe(await storedNumber());
});

/** Holds the account's row, and says when so many statements wait for it. */
async function holdAccount() {
  const holder = await pool.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM command.account WHERE id = $1 FOR UPDATE', [ACCOUNT]);
  return {
    waiting: (count: number) =>
      until(async () => {
        const { rowCount } = await pool.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rowCount === count;
      }, `${count} statements wait for the account's row`),
    async release() {
      await holder.query('COMMIT');
      holder.release();
    },
  };
}

test.each([
  { first: 'the new commands', insertAfter: 0, changeAfter: 1 },
  { first: 'the changes', insertAfter: 1, changeAfter: 0 },
])(
  'many commands beside many changes are sent when $first get to the account first',
  async ({ insertAfter, changeAfter }) => {
    const waiting = await insertMany(MANY);
    const before = ledger.knownNumber;
    stream.open = true;
    const account = await holdAccount();
    const inserted = account.waiting(insertAfter).then(() => insertMany(MANY));
    const written = account
      .waiting(changeAfter)
      .then(() => Promise.all(waiting.map((command) => ledger.change(cancelled(command)))));
    try {
      await account.waiting(2);
    } finally {
      await account.release();
    }
    const sequences = Array.from({ length: MANY }, (_, i) => before + insertAfter * MANY + i + 1);
    expect(await inserted).toMatchObject(sequences.map((sequence) => ({ state: 'SENT', sequence })));
    expect(new Set(await written)).toEqual(new Set([true]));
    expect([stream.confirmed.size, stream.released.size]).toEqual([MANY, 0]);
    expect(ledger.knownNumber).toBe(before + 2 * MANY);
  },
);

// Which of two answers comes first is up to the machine.
test('a change that cannot be written, beside many commands, fails alone: they are sent, and the others are changed', {
  repeats: 9,
}, async () => {
  const [good, bad] = await insertMany(2);
  if (good === undefined || bad === undefined) throw new Error('two commands are wanted');
  stream.open = true;
  const inserted = insertMany(MANY);
  const written = ledger.change(cancelled(good));
  const changed = cancelled(bad);
  const refused = ledger.change({ ...changed, command: { ...changed.command, finishMs: Number.NaN } });
  await expect(refused).rejects.toThrow('a time is wanted');
  expect(await written).toBe(true);
  expect((await inserted).map(({ state }) => state)).toEqual(Array.from({ length: MANY }, () => 'SENT'));
  expect([stream.confirmed.size, stream.released.size]).toEqual([MANY, 0]);
  expect(ledger.knownNumber).toBe(await storedNumber());
});

test('changes that take too long together are written one by one', async () => {
  const commands = await insertMany(3);
  // What a statement is told that runs into its time limit.
  await pool.query(`CREATE FUNCTION command.only_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM changed) > 1 THEN RAISE EXCEPTION 'too long' USING ERRCODE = '57014'; END IF;
    RETURN NULL; END $$`);
  await pool.query(`CREATE TRIGGER only_one AFTER UPDATE ON command.command REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION command.only_one()`);
  try {
    expect(await Promise.all(commands.map((command) => ledger.change(cancelled(command))))).toEqual([true, true, true]);
  } finally {
    await pool.query('DROP FUNCTION command.only_one() CASCADE');
  }
});
