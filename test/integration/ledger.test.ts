import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command, Step } from '../../services/command/domain/command.ts';
import { createDatabase, type TestDatabase } from '../harness/database.ts';
import { LedgerReplica } from '../harness/ledger-replica.ts';
import { EPOCH, follow, newExecutor, stored } from '../harness/ledger-scenes.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createDatabase();
});

afterEach(async () => {
  await database[Symbol.asyncDispose]();
});

/** A life in five steps, each of them on one of the replicas. */
async function live(replicas: readonly LedgerReplica[], executorId: string, n: number): Promise<Command> {
  const at = (step: number): LedgerReplica => {
    const replica = replicas[(n + step) % replicas.length];
    if (replica === undefined) throw new Error('no replica');
    return replica;
  };
  const issued = await at(0).insert({ id: randomUUID(), executorId, requestId: `r${n}`, orderingKey: '' });
  if (issued === null) throw new Error('the request id is taken');
  let command = issued;
  for (const [i, event] of [
    { type: 'sent', epoch: EPOCH, journalId: 'j1' } as const,
    { type: 'received', atMs: Date.now() } as const,
    { type: 'started', atMs: Date.now() } as const,
    { type: 'finished', atMs: Date.now(), attempt: 1, state: 'SUCCEEDED', result: null, error: null } as const,
  ].entries()) {
    const changed = await at(i + 1).change(command, event);
    if (changed === null) throw new Error('nobody else changes it');
    command = changed;
  }
  return command;
}

describe('two replicas that write to one account', () => {
  test('give one history: a follower misses nothing, sees nothing twice, and all in order', async () => {
    await using one = new LedgerReplica(database.url);
    await using two = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const lives = 1_500;
    let over = false;
    const followers = [follow(one, 7, () => over), follow(two, 500, () => over)];
    const commands = await Promise.all(Array.from({ length: lives }, (_, n) => live([one, two], executorId, n)));
    over = true;
    const [seen = [], seenByOther = []] = await Promise.all(followers);

    const numbers = seen.map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(seenByOther).toEqual(seen);
    const { rows } = await one.pool.query<{ number: string }>('SELECT number FROM command.history ORDER BY number');
    expect(numbers).toEqual(rows.map(({ number }) => Number(number)));

    const steps = new Map<string, Step[]>();
    for (const entry of seen) steps.set(entry.commandId, [...(steps.get(entry.commandId) ?? []), ...entry.steps]);
    const states = ['PENDING', 'SENT', 'RECEIVED', 'RUNNING', 'SUCCEEDED'];
    for (const command of commands) {
      const own = steps.get(command.id) ?? [];
      expect(own.map(({ to }) => to)).toEqual(states);
      expect(own.map(({ from }) => from)).toEqual([null, ...states.slice(0, -1)]);
    }
    const final = await stored(
      one,
      commands.map(({ id }) => id),
    );
    expect([...final.values()].every(({ state, version }) => state === 'SUCCEEDED' && version === 5)).toBe(true);
  });

  test('number commands in the order of their commits, without two of a number', async () => {
    await using one = new LedgerReplica(database.url);
    await using two = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const made = await Promise.all(
      Array.from({ length: 600 }, (_, n) => (n % 2 === 0 ? one : two).insert({ id: randomUUID(), executorId })),
    );
    const sequences = made.map((command) => command?.sequence ?? 0);
    expect(new Set(sequences).size).toBe(600);
    expect(Math.min(...sequences)).toBeGreaterThan(0);
    // What one caller lists in order is stored in order.
    for (const parity of [0, 1]) {
      const own = sequences.filter((_, n) => n % 2 === parity);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
  });

  test('only one of two changes of one version is written', async () => {
    await using one = new LedgerReplica(database.url);
    await using two = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    for (let round = 0; round < 20; round++) {
      const command = await one.insert({ id: randomUUID(), executorId });
      if (command === null) throw new Error('not stored');
      const outcomes = await Promise.all([
        one.change(command, { type: 'cancel_requested' }),
        two.change(command, { type: 'sent', epoch: EPOCH, journalId: 'j1' }),
      ]);
      expect(outcomes.filter((outcome) => outcome !== null).length).toBe(1);
    }
  });

  test('a stream of an older epoch writes nothing', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const command = await one.insert({ id: randomUUID(), executorId });
    if (command === null) throw new Error('not stored');
    const sent = { type: 'sent', epoch: EPOCH - 1, journalId: 'j1' } as const;
    expect(await one.change(command, sent, EPOCH - 1)).toBeNull();
    expect((await one.change(command, { ...sent, epoch: EPOCH }, EPOCH))?.state).toBe('SENT');
  });
});

describe('one request id', () => {
  test('makes one command: within a batch, in another one, and on another replica at the same moment', async () => {
    await using one = new LedgerReplica(database.url);
    await using two = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const order = (requestId: string): { id: string; executorId: string; requestId: string } => ({
      id: randomUUID(),
      executorId,
      requestId,
    });
    const made = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        [one, one, two, two].map((replica) => replica.insert(order(`r${n % 100}`))),
      ).flat(),
    );
    expect(made.filter((command) => command !== null).length).toBe(100);
    expect(await one.insert(order('r5'))).toBeNull();
    expect(await two.insert(order('r5'))).toBeNull();
    const { rows } = await one.pool.query('SELECT request_id FROM command.command GROUP BY 1 HAVING count(*) > 1');
    expect(rows).toEqual([]);
    const history = await follow(one, 100, () => true);
    expect(history.length).toBe(100);
  });
});

describe('a row that the database refuses', () => {
  test('is refused alone on insert', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const outcomes = await Promise.allSettled([
      one.insert({ id: randomUUID(), executorId }),
      one.insert({ id: randomUUID(), executorId, requestId: 'a\0b' }),
      one.insert({ id: 'not-a-uuid', executorId }),
      one.insert({ id: randomUUID(), executorId, retryOf: '{"},NULL' }),
      one.insert({ id: randomUUID(), executorId, attemptsMax: 2 ** 40 }),
      one.insert({ id: randomUUID(), executorId }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...Array.from({ length: 4 }, () => 'rejected'),
      'fulfilled',
    ]);
    const { rows } = await one.pool.query<{ count: string }>('SELECT count(*) FROM command.command');
    expect(rows[0]?.count).toBe('2');
    expect((await follow(one, 100, () => true)).length).toBe(2);
  });

  test('is refused alone on change, and the ledger goes on', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const commands: Command[] = [];
    for (let n = 0; n < 3; n++) {
      const command = await one.insert({ id: randomUUID(), executorId });
      if (command !== null) commands.push(command);
    }
    const outcomes = await Promise.allSettled(
      commands.map((command, n) =>
        one.change(command, { type: 'sent', epoch: EPOCH, journalId: n === 1 ? 'j\0' : '{"j\\\\1",NULL}' }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const after = await stored(
      one,
      commands.map(({ id }) => id),
    );
    expect(commands.map(({ id }) => after.get(id)?.state)).toEqual(['SENT', 'PENDING', 'SENT']);
    expect(after.get(commands[0]?.id ?? '')?.journalId).toBe('{"j\\\\1",NULL}');
    expect(await one.insert({ id: randomUUID(), executorId })).not.toBeNull();
  });
});

describe('a stop and the starts that it makes pointless', () => {
  test('are one transaction, whoever had issued them', async () => {
    await using one = new LedgerReplica(database.url);
    await using two = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const base = { executorId, orderingKey: '/s1/a/X' } as const;
    const start = await one.insert({ ...base, id: randomUUID() });
    const entry = await one.insert({ ...base, id: randomUUID(), kind: 'open_position' });
    const other = await one.insert({ ...base, id: randomUUID(), orderingKey: '/s2/a/X' });
    const stop = await two.insert({ id: randomUUID(), executorId, kind: 'stop_session', orderingKey: '/s1' });
    const ids = [start, entry, other, stop].map((command) => command?.id ?? '');
    const after = await stored(one, ids);
    expect(ids.map((id) => after.get(id)?.state)).toEqual(['CANCELLED', 'PENDING', 'PENDING', 'PENDING']);
    expect(after.get(ids[0] ?? '')?.error?.metadata).toEqual({ superseded_by: ids[3] });
    const { rows } = await one.pool.query<{ together: boolean }>(
      'SELECT count(DISTINCT xmin::text) = 1 AS together FROM command.command WHERE id = ANY($1::uuid[])',
      [[ids[0], ids[3]]],
    );
    expect(rows[0]?.together).toBe(true);
  });

  test('that are issued together: the start never goes out, and what follows it waits its turn', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    one.streams.held.set(executorId, EPOCH);
    await one.ledger.sync();
    const base = { executorId, orderingKey: '/s1/a/X' } as const;
    const [start, stop] = await Promise.all([
      one.insert({ ...base, id: randomUUID() }),
      one.insert({ ...base, id: randomUUID(), kind: 'stop_strategy' }),
    ]);
    expect(one.streams.asked.map(({ command, mayGo }) => [command.id, mayGo])).toEqual([
      [start?.id, false],
      [stop?.id, true],
    ]);
    expect(start?.state).toBe('CANCELLED');
    expect(one.streams.confirmed.map(({ id }) => id)).not.toContain(start?.id);
    expect((await stored(one, [start?.id ?? ''])).get(start?.id ?? '')).toMatchObject({
      state: 'CANCELLED',
      attempt: 0,
      error: { reason: 'SUPERSEDED' },
    });
  });

  test('one that is with the agent is asked to stop instead', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    const base = { executorId, orderingKey: '/s1/a/X' } as const;
    const start = await one.insert({ ...base, id: randomUUID() });
    if (start === null) throw new Error('not stored');
    await one.change(start, { type: 'sent', epoch: EPOCH, journalId: 'j1' });
    await one.insert({ ...base, id: randomUUID(), kind: 'stop_strategy' });
    const after = (await stored(one, [start.id])).get(start.id);
    expect(after?.state).toBe('SENT');
    expect(after?.cancelRequestMs).not.toBeNull();
  });
});

describe('a command whose stream is held by the replica that stores it', () => {
  test('is stored as sent at once, in the place that was reserved', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    one.streams.held.set(executorId, EPOCH);
    await one.ledger.sync();
    const made = await Promise.all([1, 2, 3].map(() => one.insert({ id: randomUUID(), executorId })));
    expect(made.map((command) => command?.state)).toEqual(['SENT', 'SENT', 'SENT']);
    expect(one.streams.confirmed.map(({ id }) => id)).toEqual(made.map((command) => command?.id));
    const after = await stored(
      one,
      made.map((command) => command?.id ?? ''),
    );
    for (const command of made)
      expect(after.get(command?.id ?? '')).toMatchObject({ state: 'SENT', attempt: 1, version: 2 });
    const history = await follow(one, 100, () => true);
    expect(history.map(({ steps }) => steps.map(({ to }) => to))).toEqual(made.map(() => ['PENDING', 'SENT']));
  });

  test('waits when somebody else wrote first, and what they wrote is learnt before it', async () => {
    await using one = new LedgerReplica(database.url);
    await using two = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    one.streams.held.set(executorId, EPOCH);
    await one.ledger.sync();
    const theirs = await two.insert({ id: randomUUID(), executorId });
    const ours = await one.insert({ id: randomUUID(), executorId });
    expect(ours?.state).toBe('PENDING');
    expect(one.streams.released.map(({ id }) => id)).toEqual([ours?.id]);
    expect(one.streams.merged.map(({ id }) => id)).toEqual([theirs?.id, ours?.id]);
    expect(two.woken).toEqual([executorId]);
    expect(one.woken).toEqual([]);
  });

  test('waits when the stream is not the newest any more', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    one.streams.held.set(executorId, EPOCH - 1);
    await one.ledger.sync();
    const command = await one.insert({ id: randomUUID(), executorId });
    expect(command?.state).toBe('PENDING');
    expect(one.streams.confirmed).toEqual([]);
    expect(one.streams.released.map(({ id }) => id)).toEqual([command?.id]);
  });

  test('whose request id is taken gives its place back', async () => {
    await using one = new LedgerReplica(database.url);
    const executorId = await newExecutor(one);
    one.streams.held.set(executorId, EPOCH);
    await one.ledger.sync();
    const [first, again] = await Promise.all(
      [1, 2].map(() => one.insert({ id: randomUUID(), executorId, requestId: 'same' })),
    );
    expect([first?.state, again]).toEqual(['SENT', null]);
    expect(one.streams.confirmed.length).toBe(1);
    expect(one.streams.released.length).toBe(1);
  });
});
