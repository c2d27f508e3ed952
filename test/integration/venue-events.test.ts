import { Code, ConnectError } from '@connectrpc/connect';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WatchVenueEventsResponse } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { commandRetention } from '../../services/command/delivery/retention.ts';
import type { Caller } from '../../services/platform/grpc/caller.ts';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { VenueAgent } from '../harness/venue-agent.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack({ commandReplicas: 2, gateway: false });
});

afterAll(() => stack[Symbol.asyncDispose]());

/** An account of its own with these executors, and agents for them. */
class Account {
  readonly caller: Caller;

  constructor(accountId: string) {
    this.caller = { ...FOUNDER, accountId };
  }

  client(replica = 0) {
    return stack.replicaExecutorClient(replica, this.caller);
  }

  async agent(name: string, replica: number, journalId: string): Promise<VenueAgent> {
    const { credentials } = await this.client().createExecutor({ name });
    if (credentials === undefined) throw new Error('no credentials');
    const agent = new VenueAgent(stack.linkUrls[replica] ?? '', credentials, journalId);
    await agent.connect();
    return agent;
  }

  /** Watches until `count` events are there. */
  async watch(
    count: number,
    request: { readonly cursor?: string; readonly fromStart?: boolean; readonly executor?: string } = {
      fromStart: true,
    },
    replica = 0,
  ): Promise<WatchVenueEventsResponse[]> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(30_000)]);
    const events: WatchVenueEventsResponse[] = [];
    for await (const response of this.client(replica).watchVenueEvents(request, { signal })) {
      if (response.event !== undefined) events.push(response);
      if (events.length >= count) break;
    }
    over.abort();
    return events;
  }
}

const event = (journalId: string, number: number) => ({
  journalId,
  number: BigInt(number),
  sessionId: 's',
  symbol: 'BTC_USDT',
  event: { case: 'equityReport', value: { equity: String(1_000 + number), balance: '1000' } } as const,
});

const identity = ({ executorName, event: own }: WatchVenueEventsResponse): string =>
  `${executorName} ${own?.journalId} ${own?.number}`;

function refusal(thrown: unknown): string {
  if (!(thrown instanceof ConnectError)) throw thrown;
  return `${Code[thrown.code]} ${reasonOf(thrown)}`;
}

describe('venue events', () => {
  test('of agents on two replicas that repeat themselves are stored once, in one order, wherever a watcher resumes', async () => {
    const account = new Account('once');
    await using one = await account.agent('one', 0, 'j1');
    await using two = await account.agent('two', 1, 'j2');
    const rounds = 30;
    for (let number = 1; number <= rounds; number++) {
      for (const [agent, journal] of [
        [one, 'j1'],
        [two, 'j2'],
      ] as const) {
        // Everything so far again, as after a link that was lost before the acknowledgement, and the new one twice.
        const first = Math.max(1, number - 3);
        const again = Array.from({ length: number - first + 1 }, (_, at) => event(journal, first + at));
        agent.tell([...again, event(journal, number)]);
      }
    }
    const [live, elsewhere] = await Promise.all([
      account.watch(2 * rounds),
      account.watch(2 * rounds, { fromStart: true }, 1),
    ]);
    expect(live.map(identity).toSorted()).toEqual(
      ['one j1', 'two j2'].flatMap((who) => Array.from({ length: rounds }, (_, at) => `${who} ${at + 1}`)).toSorted(),
    );
    expect(live.map(({ sequence }) => sequence)).toEqual(live.map((_, at) => BigInt(at + 1)));
    expect(elsewhere.map(identity)).toEqual(live.map(identity));
    for (const [who, journal] of [
      ['one', 'j1'],
      ['two', 'j2'],
    ]) {
      const own = live.filter(({ executorName }) => executorName === who).map((stored) => stored.event?.number);
      expect(own).toEqual(Array.from({ length: rounds }, (_, at) => BigInt(at + 1)));
      const agent = who === 'one' ? one : two;
      await until(() => new Set(agent.acknowledged(journal ?? '')).size === rounds, `${who} is acknowledged`);
    }
    for (const at of [0, 17, 2 * rounds - 2]) {
      const rest = await account.watch(2 * rounds - at - 1, { cursor: live[at]?.cursor ?? '' }, 1);
      expect(rest.map(identity)).toEqual(live.slice(at + 1).map(identity));
    }
    expect(live[5]?.event?.event).toMatchObject({ case: 'equityReport', value: { balance: '1000' } });
  });

  test('are acknowledged when they are durable and not before', async () => {
    const account = new Account('durable');
    await using agent = await account.agent('vps', 0, 'j');
    const database = new Client({ connectionString: stack.databaseUrl });
    await database.connect();
    try {
      await database.query('BEGIN');
      await database.query('LOCK TABLE command.venue_event IN ACCESS EXCLUSIVE MODE');
      agent.tell([event('j', 1), event('j', 2)]);
      agent.say({ case: 'heartbeat', value: { number: 7n } });
      await until(
        () => agent.heard.some(({ frame }) => frame.case === 'heartbeatReply' && frame.value.number === 7n),
        'the frame behind the events is answered',
      );
      expect(agent.acknowledged('j')).toEqual([]);
      await database.query('COMMIT');
      await until(() => agent.acknowledged('j').length === 2, 'the events are acknowledged');
      const { rows } = await database.query("SELECT 1 FROM command.venue_event WHERE account_id = 'durable'");
      expect(rows).toHaveLength(2);
    } finally {
      await database.end();
    }
  });

  test('come over polling as well, with their acknowledgement in the answer', async () => {
    const account = new Account('polling');
    const { credentials } = await account.client().createExecutor({ name: 'vps' });
    if (credentials === undefined) throw new Error('no credentials');
    await using agent = new VenueAgent(stack.linkUrls[0] ?? '', credentials, 'j');
    expect(await agent.report([event('j', 1), event('j', 2)])).toEqual([1n, 2n]);
    expect(await agent.report([event('j', 2), event('j', 3)])).toEqual([2n, 3n]);
    expect((await account.watch(3)).map((stored) => stored.event?.number)).toEqual([1n, 2n, 3n]);
  });

  test('stay within their account and, when asked, their executor; a cursor is bound to both', async () => {
    const account = new Account('mine');
    await using one = await account.agent('one', 0, 'j1');
    await using two = await account.agent('two', 0, 'j2');
    one.tell([event('j1', 1)]);
    await account.watch(1);
    two.tell([event('j2', 1)]);
    const all = await account.watch(2);
    expect((await account.watch(1, { fromStart: true, executor: 'two' })).map(identity)).toEqual(['two j2 1']);
    const cursor = all[0]?.cursor ?? '';
    await expect(account.watch(1, { cursor, executor: 'two' }).catch(refusal)).resolves.toBe(
      'InvalidArgument CURSOR_INVALID',
    );
    await expect(new Account('theirs').watch(1, { cursor }).catch(refusal)).resolves.toBe(
      'InvalidArgument CURSOR_INVALID',
    );
    // What is stored next is the first that a stranger to all of this sees.
    const stranger = new Account('theirs');
    await using third = await stranger.agent('vps', 1, 'j3');
    const seen = stranger.watch(1, { fromStart: true }, 1);
    third.tell([event('j3', 1)]);
    expect((await seen).map(identity)).toEqual(['vps j3 1']);
  });

  test('without an identity are passed over, and the others of their frame count', async () => {
    const account = new Account('odd');
    await using agent = await account.agent('vps', 0, 'j');
    agent.tell([event('', 1), event('j', 0), event('j', 1), event('j'.repeat(65), 2), event('j', 2)]);
    expect((await account.watch(2)).map(identity)).toEqual(['vps j 1', 'vps j 2']);
    expect(agent.heard.filter(({ frame }) => frame.case === 'superseded')).toEqual([]);
  });

  test('are kept as long as history is, and a watcher behind that is told', async () => {
    const account = new Account('kept');
    await using agent = await account.agent('vps', 0, 'j');
    agent.tell([event('j', 1), event('j', 2)]);
    const [first] = await account.watch(2);
    const pool = createPool({
      databaseUrl: stack.databaseUrl,
      applicationName: 'retention test',
      connectionsMax: 1,
      logger: createLogger('test', 'silent'),
    });
    const keep = (keepDays: number): Promise<void> =>
      commandRetention(pool, createLogger('test', 'silent'), keepDays).removeOld();
    try {
      await keep(1);
      expect(await account.watch(2)).toHaveLength(2);
      await keep(-1);
    } finally {
      await pool.end();
    }
    await expect(account.watch(1, { cursor: first?.cursor ?? '' }).catch(refusal)).resolves.toBe(
      'OutOfRange CURSOR_TOO_OLD',
    );
    const rest = account.watch(1);
    agent.tell([event('j', 3)]);
    expect((await rest).map(({ sequence }) => sequence)).toEqual([3n]);
  });
});
