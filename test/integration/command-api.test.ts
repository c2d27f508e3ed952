import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { Hop, SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { refusalOf } from '../harness/refusal.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';

type CommandClient = ReturnType<TestStack['replicaCommandClient']>;
type ListFilter = NonNullable<Parameters<CommandClient['listCommands']>[0]['filter']>;
type IssueInit = Parameters<CommandClient['issueCommands']>[0];

/** One stack for all: each test works in an account of its own. */
let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ gateway: false });
});
afterAll(() => stack[Symbol.asyncDispose]());

/** The clients of an account, and its executors' ids by name. */
async function accountOf(accountId: string, ...names: string[]) {
  const caller = { ...FOUNDER, accountId };
  const executors = stack.replicaExecutorClient(0, caller);
  const created = await Promise.all(names.map((name) => executors.createExecutor({ name })));
  const ids = created.map(({ executor }) => executor?.id ?? '');
  return { client: stack.replicaCommandClient(0, caller), executors, ids };
}

/** Issues in one call; ids in order of issue. */
async function issueAll(client: CommandClient, requests: IssueInit['requests']): Promise<string[]> {
  const { outcomes } = await client.issueCommands({ requests: requests ?? [] });
  return outcomes.map(({ outcome }) => {
    if (outcome.case !== 'issued') throw new Error(`not issued: ${outcome.value?.message}`);
    return outcome.value.command?.id ?? '';
  });
}

function pings(executor: string, count: number): NonNullable<IssueInit['requests']> {
  return Array.from({ length: count }, () => ({ executor, kind: { case: 'ping' as const, value: {} } }));
}

/** Every page of a list, as ids. */
async function pagesOf(
  client: CommandClient,
  request: { readonly filter?: ListFilter; readonly pageSize: number },
): Promise<string[][]> {
  const pages: string[][] = [];
  for (let pageToken = ''; ; ) {
    const page = await client.listCommands({ ...request, pageToken });
    pages.push(page.commands.map(({ id }) => id));
    pageToken = page.nextPageToken;
    if (pageToken === '') return pages;
  }
}

/** Runs SQL past the services, as time and failures would change rows. */
async function inDatabase(sql: string, values: readonly unknown[] = []): Promise<void> {
  const database = new Client({ connectionString: stack.databaseUrl });
  await database.connect();
  await database.query(sql, [...values]);
  await database.end();
}

describe('listing commands', () => {
  test('pages from the newest, exactly on, whatever is issued meanwhile', async () => {
    const { client } = await accountOf('paging', 'a');
    const ids = await issueAll(client, pings('a', 55));
    expect(await pagesOf(client, { pageSize: 20 })).toEqual([
      ids.toReversed().slice(0, 20),
      ids.toReversed().slice(20, 40),
      ids.toReversed().slice(40),
    ]);
    expect(await pagesOf(client, { pageSize: 55 })).toHaveLength(1);
    const first = await client.listCommands({ pageSize: 20 });
    await issueAll(client, pings('a', 5));
    const second = await client.listCommands({ pageSize: 20, pageToken: first.nextPageToken });
    expect(second.commands.map(({ id }) => id)).toEqual(ids.toReversed().slice(20, 40));
  });

  test('filters by executor, state and kind, and binds its tokens to the filters', async () => {
    const { client, ids } = await accountOf('filters', 'a', 'b');
    const [executorId = ''] = ids;
    const onA = await issueAll(client, pings('a', 6));
    const onB = await issueAll(client, pings('b', 3));
    const [pause = ''] = await issueAll(client, [{ executor: 'a', kind: { case: 'pause', value: {} } }]);
    const [cancelled = ''] = onA;
    await client.cancelCommand({ id: cancelled });
    const list = async (filter: ListFilter) => (await pagesOf(client, { filter, pageSize: 2 })).flat();
    expect(await list({ executor: 'a' })).toEqual([pause, ...onA.toReversed()]);
    expect(await list({ executor: executorId })).toEqual([pause, ...onA.toReversed()]);
    expect(await list({ executor: 'b' })).toEqual(onB.toReversed());
    expect(await list({ kinds: ['pause', 'stop_all'] })).toEqual([pause]);
    expect(await list({ states: [CommandState.CANCELLED] })).toEqual([cancelled]);
    expect(await list({ states: [CommandState.CANCELLED], executor: 'b' })).toEqual([]);
    const open = [CommandState.PENDING, CommandState.SENT];
    expect(await list({ states: open })).toEqual([pause, ...onB.toReversed(), ...onA.slice(1).toReversed()]);
    expect(await list({ states: open, executor: 'a', kinds: ['ping'] })).toEqual(onA.slice(1).toReversed());
    const all = [...open, CommandState.CANCELLED];
    expect(await list({ states: all, executor: 'a', kinds: ['ping'] })).toEqual(onA.toReversed());

    const { nextPageToken: pageToken } = await client.listCommands({ filter: { executor: 'a' }, pageSize: 2 });
    const byId = await client.listCommands({ filter: { executor: executorId }, pageSize: 2, pageToken });
    expect(byId.commands.map(({ id }) => id)).toEqual(onA.toReversed().slice(1, 3));
    expect(await refusalOf(client.listCommands({ filter: { executor: 'b' }, pageToken }))).toBe(
      'InvalidArgument CURSOR_INVALID',
    );
  });
});

describe('statistics', () => {
  test('count and time the commands of a window, for the account and for each executor', async () => {
    const { client } = await accountOf('statistics', 'a', 'b');
    const empty = await client.getCommandStats({});
    expect(empty).toMatchObject({ count: 0n, successRate: 1, states: [], kinds: [], executors: [] });
    expect(empty.acceptedToReceived).toBeUndefined();

    const ids = await issueAll(client, [...pings('a', 100), { executor: 'b', kind: { case: 'pause', value: {} } }]);
    // As agents would have answered: the n-th after n ms, nine of ten with success.
    await inDatabase(
      `UPDATE command.command SET state = CASE WHEN at % 10 = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END, due_time = 'infinity',
         received_time = create_time + at * interval '1 ms', finish_time = create_time + at * interval '2 ms'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS u(key, at) WHERE id = u.key`,
      [ids.slice(0, 100)],
    );
    const stats = await client.getCommandStats({});
    expect(stats).toMatchObject({
      count: 101n,
      successRate: 0.9,
      states: [
        { state: CommandState.PENDING, count: 1n },
        { state: CommandState.SUCCEEDED, count: 90n },
        { state: CommandState.FAILED, count: 10n },
      ],
      kinds: [
        { kind: 'ping', count: 100n },
        { kind: 'pause', count: 1n },
      ],
      acceptedToReceived: { count: 100n, p50Ms: 50.5, p95Ms: 95.05, p99Ms: 99.01 },
      acceptedToFinished: { count: 100n, p50Ms: 101, p95Ms: 190.1, p99Ms: 198.02 },
    });
    expect(stats.executors).toMatchObject([
      { executorName: 'a', count: 100n, successRate: 0.9, acceptedToReceived: { count: 100n } },
      { executorName: 'b', count: 1n, successRate: 1 },
    ]);
    const spans = await client.getCommandStats({ window: { seconds: 3_600n }, bucketCount: 60 });
    const inSpans = spans.buckets.reduce((sum, { count }) => sum + count, 0n);
    expect(inSpans).toBe(101n);
    expect(spans.buckets.at(-1)).toMatchObject({ acceptedToFinished: { p95Ms: expect.any(Number) } });
    expect(spans.buckets.length).toBeLessThanOrEqual(2);
    expect(await refusalOf(client.getCommandStats({ bucketCount: 201 }))).toBe('InvalidArgument INVALID_FIELD');
    const ofB = await client.getCommandStats({ executor: 'b' });
    expect(ofB).toMatchObject({ count: 1n, kinds: [{ kind: 'pause' }], executors: [{ executorName: 'b' }] });

    await inDatabase(
      `UPDATE command.command SET create_time = create_time - interval '2 hours' WHERE account_id = 'statistics' AND kind = 'ping'`,
    );
    expect((await client.getCommandStats({ window: { seconds: 3_600n } })).count).toBe(1n);
    expect((await client.getCommandStats({})).count).toBe(101n);
    expect(await refusalOf(client.getCommandStats({ window: { seconds: 2_592_001n } }))).toBe(
      'InvalidArgument INVALID_FIELD',
    );
  });
});

function setCommand(id: string, columns: string): Promise<void> {
  return inDatabase(`UPDATE command.command SET ${columns}, version = version + 1 WHERE id = $1`, [id]);
}

describe('explaining', () => {
  test('names each hop, as the command comes to it', async () => {
    const { client, executors, ids } = await accountOf('explaining', 'vps-7');
    const [executorId] = ids;
    const [session = '', stop = ''] = await issueAll(client, [
      { executor: 'vps-7', kind: { case: 'startSession', value: { sessionId: 's1', mode: SessionMode.PAPER } } },
      { executor: 'vps-7', kind: { case: 'cancelOrders', value: { sessionId: 's1', symbol: 'BTC' } } },
    ]);
    const explain = async (id: string): Promise<[string, string, string[]]> => {
      const { hop, sentence, blockingCommandIds } = await client.explainCommand({ id });
      return [Hop[hop], sentence, blockingCommandIds];
    };
    const executor = (columns: string): Promise<void> =>
      inDatabase(`UPDATE command.executor SET ${columns} WHERE id = $1`, [executorId]);

    expect(await explain(session)).toEqual([
      'EXECUTOR_NEVER_CONNECTED',
      expect.stringMatching(/^waiting for executor vps-7, which has never connected; expires in (5m|4m\d\ds)$/),
      [],
    ]);
    await executor(
      `connect_time = '2024-01-01 09:00Z', disconnect_time = '2024-01-01 09:14:02Z', owner_replica = 'gone'`,
    );
    expect((await explain(session)).slice(0, 2)).toEqual([
      'EXECUTOR_OFFLINE',
      expect.stringMatching(/^waiting for executor vps-7, offline since 2024-01-01 09:14:02; expires in /),
    ]);
    // From here on as if a living replica held its stream.
    await executor(`disconnect_time = NULL, owner_replica = 'command-0', in_flight_max = 1`);
    expect((await explain(session))[0]).toBe('DISPATCH');
    expect(await explain(stop)).toEqual([
      'ORDERING_KEY',
      expect.stringContaining(`waiting behind start_session ${session} (PENDING), key "/s1"`),
      [session],
    ]);
    await setCommand(session, `state = 'SENT', attempt = 1, sent_time = now()`);
    expect(await explain(session)).toEqual([
      'RECEIPT',
      expect.stringContaining('(attempt 1) and not acknowledged'),
      [],
    ]);
    const [ping = ''] = await issueAll(client, pings('vps-7', 1));
    expect(await explain(ping)).toEqual([
      'CREDIT_LIMIT',
      expect.stringContaining('vps-7 takes 1 commands at once and has 1; expires in '),
      [],
    ]);
    await setCommand(session, `state = 'RECEIVED', received_time = now()`);
    expect((await explain(session))[0]).toBe('AGENT_START');
    await setCommand(session, `state = 'RUNNING', start_time = now()`);
    expect((await explain(session))[0]).toBe('EXECUTION');
    await setCommand(session, `start_time = now() - interval '5 minutes', create_time = now() - interval '6 minutes'`);
    expect(await explain(session)).toEqual(['OVERRUN', expect.stringContaining('longer than the 1m it was given'), []]);
    await executor(`in_flight_max = 100`);
    await setCommand(ping, `attempt = 1, error_reason = 'VENUE_UNAVAILABLE', retry_time = now() + interval '1 minute'`);
    expect(await explain(ping)).toEqual([
      'RETRY_BACKOFF',
      expect.stringMatching(/^attempt 1 failed: VENUE_UNAVAILABLE; tried again in (1m|\d\ds); fails for good in /),
      [],
    ]);
    await setCommand(
      session,
      `state = 'REJECTED', due_time = 'infinity', finish_time = now(), error_reason = 'LOCAL_LIMIT',
      error_message = 'no', error_hop = 'agent'`,
    );
    expect(await explain(session)).toEqual(['REFUSED', expect.stringContaining('refused by the agent at '), []]);
    await client.cancelCommand({ id: stop });
    expect(await explain(stop)).toEqual(['NONE', expect.stringContaining('cancelled at '), []]);
    const { timeline } = await client.explainCommand({ id: stop });
    expect(timeline.map(({ cause }) => cause)).toEqual(['issued', 'cancelled']);
    await executors.disableExecutor({ executor: 'vps-7' });
    expect((await explain(ping))[0]).toBe('EXECUTOR_DISABLED');
  });
});

describe('the quarantine', () => {
  test('is listed in pages, newest first, rows of one moment included', async () => {
    const { client, ids } = await accountOf('quarantine', 'a', 'b');
    const [executorId] = ids;
    await inDatabase(
      `INSERT INTO command.quarantine (command_id, account_id, executor_id, defect, row_json, quarantine_time)
       SELECT gen_random_uuid(), 'quarantine', $1, 'parameters: hold no kind', jsonb_build_object('n', n),
         '2024-01-01 00:00:00.123456Z'::timestamptz + (n / 3) * interval '1 microsecond'
       FROM generate_series(0, 10) n`,
      [executorId],
    );
    const seen: number[] = [];
    for (let pageToken = ''; ; ) {
      const page = await client.listQuarantinedCommands({ executor: 'a', pageSize: 2, pageToken });
      for (const row of page.commands) {
        expect(row).toMatchObject({ executorId, defect: 'parameters: hold no kind' });
        seen.push(Number(/"n": (\d+)/.exec(row.rowJson)?.[1]));
      }
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen.map((n) => Math.floor(n / 3))).toEqual([3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0]);
    expect((await client.listQuarantinedCommands({ executor: 'b' })).commands).toEqual([]);
    const elsewhere = await accountOf('no-quarantine');
    expect((await elsewhere.client.listQuarantinedCommands({})).commands).toEqual([]);
  });
});

describe('another account', () => {
  test('finds nothing of ours, by name or by id, and may use the same names', async () => {
    const { client: ours, ids } = await accountOf('ours', 'a');
    const { client: theirs, executors: theirExecutors } = await accountOf('theirs');
    const [executorId = ''] = ids;
    const [id = ''] = await issueAll(ours, [{ executor: 'a', requestId: 'r', kind: { case: 'ping', value: {} } }]);
    const calls: Promise<unknown>[] = [
      theirs.getCommand({ id }),
      theirs.cancelCommand({ id }),
      theirs.retryCommand({ id }),
      theirs.settleCommand({ id, outcome: SettledOutcome.HAPPENED, note: 'looked' }),
      theirs.explainCommand({ id }),
      ...[executorId, 'a'].flatMap((executor) => [
        theirs.issueCommand({ executor, kind: { case: 'ping', value: {} } }),
        theirs.listCommands({ filter: { executor } }),
        theirs.getCommandStats({ executor }),
        theirs.listQuarantinedCommands({ executor }),
        theirs.watchCommands({ filter: { executor } })[Symbol.asyncIterator]().next(),
        theirExecutors.getExecutor({ executor }),
        theirExecutors.rotateCredentials({ executor }),
        theirExecutors.disableExecutor({ executor }),
        theirExecutors.watchExecutors({ executor })[Symbol.asyncIterator]().next(),
      ]),
    ];
    for (const refusal of await Promise.all(calls.map(refusalOf))) expect(refusal).toBe('NotFound RESOURCE_NOT_FOUND');
    expect((await theirs.listCommands({})).commands).toEqual([]);
    expect((await theirs.getCommandStats({})).count).toBe(0n);
    expect((await theirExecutors.listExecutors({})).executors).toEqual([]);

    const own = await theirExecutors.createExecutor({ name: 'a' });
    expect(own.executor?.id).not.toBe(executorId);
    // A request_id is the account's own.
    const { command, alreadyIssued } = await theirs.issueCommand({
      executor: 'a',
      requestId: 'r',
      kind: { case: 'ping', value: {} },
    });
    expect(alreadyIssued).toBe(false);
    expect(command?.executorId).toBe(own.executor?.id);
    expect((await ours.listCommands({})).commands.map((one) => one.id)).toEqual([id]);
  });
});
