import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command, CommandError } from '../../services/command/domain/command.ts';
import { createDatabase, type TestDatabase } from '../harness/database.ts';
import { FlowReplica } from '../harness/flow-replica.ts';
import { LedgerReplica } from '../harness/ledger-replica.ts';
import { newExecutor, stored } from '../harness/ledger-scenes.ts';
import { until } from '../harness/until.ts';

/** So many rows that the lanes go side by side. */
const MANY = 100;
/** Each makes room for both in turn; without that, none does. */
const LOOKS_MAX = 50;
const PING = { kind: 'ping', orderingKey: '' } as const;
const ENTRY = { kind: 'open_position', orderingKey: '/s1/a/X' } as const;
const VENUE_AWAY: CommandError = {
  reason: 'VENUE_UNAVAILABLE',
  message: 'the venue is away',
  hop: 'venue',
  retryable: true,
  metadata: {},
};

let database: TestDatabase;

beforeEach(async () => {
  database = await createDatabase();
});

afterEach(async () => {
  await database[Symbol.asyncDispose]();
});

function pings(replica: FlowReplica, executorId = replica.executorId): Promise<Command>[] {
  return Array.from({ length: MANY }, () => replica.insert({ ...PING, executorId }));
}

/** Has both wait for the account's row, so that neither knows of the other, and lets them write one after the other. */
async function oneAfterTheOther<A, B>(pool: Pool, first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  const lock = await pool.connect();
  try {
    await lock.query('BEGIN');
    await lock.query('SELECT 1 FROM command.account FOR UPDATE');
    const one = first();
    await until(async () => (await waitingForLocks(pool)) === 1, 'the first statement waits for the account');
    const other = second();
    await until(async () => (await waitingForLocks(pool)) === 2, 'the second statement waits for the account');
    await lock.query('COMMIT');
    return await Promise.all([one, other]);
  } finally {
    lock.release(true);
  }
}

async function waitingForLocks(pool: Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]?.waiting;
}

/** A replica that holds a stream, another one, and many commands for an executor whose stream is held nowhere. */
async function twoReplicas(stack: AsyncDisposableStack) {
  const elsewhere = stack.use(new LedgerReplica(database.url));
  const executorId = await newExecutor(elsewhere);
  const otherId = await newExecutor(elsewhere);
  const here = stack.use(await FlowReplica.open(database.url, executorId));
  const others = await Promise.all(pings(here, otherId));
  return { here, elsewhere, executorId, otherId, others };
}

/** One command of a batch waits for an earlier one, and all others are sent; changes that it did not know of came before it. */
async function oneOfManyWaits({ here, elsewhere, others }: Awaited<ReturnType<typeof twoReplicas>>) {
  const first = await here.insert(ENTRY);
  const [, [waiting, ...beside]] = await oneAfterTheOther(
    elsewhere.pool,
    () => Promise.all(others.map((command) => here.cancel(command))),
    () => Promise.all([here.insert(ENTRY), ...pings(here)]),
  );
  expect(waiting.state).toBe('PENDING');
  expect(new Set(beside.map(({ state }) => state))).toEqual(new Set(['SENT']));
  return { first, waiting, beside };
}

describe('new commands that are stored after changes which they did not know of have a place each', () => {
  test('when all before it has ended, the one that waited is sent, and so is a later one', async () => {
    await using stack = new AsyncDisposableStack();
    const replicas = await twoReplicas(stack);
    const { here } = replicas;
    const { first, waiting, beside } = await oneOfManyWaits(replicas);

    for (const { id } of [...beside, first]) here.finish(id);
    await until(() => here.delivered.includes(waiting.id), 'the command that waited is sent');
    const later = await here.insert({ ...ENTRY, orderingKey: '/s2/a/X' });
    expect(later.state).toBe('SENT');
    expect(here.delivered).toEqual([first, ...beside, waiting, later].map(({ id }) => id));
  });

  test('one that waited, was sent and failed is sent again when the others have ended, and so is a later one', async () => {
    await using stack = new AsyncDisposableStack();
    const replicas = await twoReplicas(stack);
    const { here, elsewhere } = replicas;
    const { first, waiting, beside } = await oneOfManyWaits(replicas);

    here.finish(first.id);
    await until(() => here.delivered.includes(waiting.id), 'the command that waited is sent');
    for (const { id } of beside) here.finish(id);
    here.finish(waiting.id, VENUE_AWAY);
    const failed = await until(async () => {
      const command = (await stored(elsewhere, [waiting.id])).get(waiting.id);
      return command?.failures === 1 && command;
    }, 'the failure is stored');
    here.advance((failed.retryMs ?? 0) - here.clock.nowMs());

    const isSentTwice = (): boolean => here.delivered.filter((id) => id === waiting.id).length === 2;
    await until(isSentTwice, 'the command that failed is sent again');
    expect((await here.insert(PING)).state).toBe('SENT');
  });
});

test('a command that was stored and waits goes before what another replica stored later, whichever is learnt first', async () => {
  await using stack = new AsyncDisposableStack();
  const { here, elsewhere, executorId, otherId, others } = await twoReplicas(stack);
  // Not known here yet: what is stored next waits.
  await elsewhere.insert({ ...PING, executorId: otherId });
  const late = here.answers.hold('insert_commands');
  const inserted = here.insert(ENTRY);
  await late.stored;
  const foreign = await elsewhere.insert({ ...ENTRY, executorId, id: randomUUID() });
  const changed = Promise.all(others.map((command) => here.cancel(command)));
  await here.answers.handled('change_commands');

  late.give();
  const own = await inserted;
  await changed;
  expect([own.state, foreign?.state]).toEqual(['PENDING', 'PENDING']);
  await until(() => here.delivered.length > 0, 'one of them is sent');
  expect(here.delivered).toEqual([own.id]);
  here.finish(own.id);
  await until(() => here.delivered.length > 1, 'the other one is sent');
  expect(here.delivered).toEqual([own.id, foreign?.id]);
});

test('looks at what others wrote that are always wanted again keep neither new commands nor changes waiting', async () => {
  await using replica = new LedgerReplica(database.url);
  const executorId = await newExecutor(replica);
  const known = await replica.insert({ ...PING, executorId, id: randomUUID() });
  if (known === null) throw new Error('the request id is taken');

  const ends: string[] = [];
  const inserted = replica.insert({ ...PING, executorId, id: randomUUID() }).then(() => ends.push('inserted'));
  const changed = replica.change(known, { type: 'cancel_requested' }).then(() => ends.push('changed'));
  for (let look = 0; look < LOOKS_MAX && ends.length < 2; look++) await replica.ledger.sync();
  expect(ends.toSorted()).toEqual(['changed', 'inserted']);
  await Promise.all([inserted, changed]);
});
