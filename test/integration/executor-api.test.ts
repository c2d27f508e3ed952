import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Credentials,
  type Executor,
  ExecutorState,
} from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { CredentialVerifier } from '../../services/command/store/credential-verifier.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { refusalOf } from '../harness/refusal.ts';

let stack: TestStack;
let pool: Pool;
let verifier: CredentialVerifier;
beforeAll(async () => {
  stack = await startStack({ gateway: false, commandReplicas: 2 });
  pool = new Pool({ connectionString: stack.databaseUrl, max: 2 });
  verifier = new CredentialVerifier(pool);
});
afterAll(async () => {
  await verifier.stop();
  await pool.end();
  await stack[Symbol.asyncDispose]();
});

/** The clients of an account on both replicas. */
function accountOf(accountId: string) {
  const caller = { ...FOUNDER, accountId };
  return {
    executors: stack.replicaExecutorClient(0, caller),
    elsewhere: stack.replicaExecutorClient(1, caller),
    commands: stack.replicaCommandClient(1, caller),
  };
}

type ExecutorClient = ReturnType<typeof accountOf>['executors'];

async function create(client: ExecutorClient, name: string): Promise<Credentials> {
  const { credentials } = await client.createExecutor({ name });
  if (credentials === undefined) throw new Error('no credentials');
  return credentials;
}

async function verdict({ keyId, secret }: Pick<Credentials, 'keyId' | 'secret'>): Promise<string> {
  return (await verifier.verify(keyId, secret)).type;
}

describe('executors', () => {
  test('are created once a name, found by name and id, and listed by name', async () => {
    const { executors, elsewhere } = accountOf('listing');
    const made = await executors.createExecutor({ name: 'b', labels: { zone: 'eu', tier: '1' } });
    expect(made.executor).toMatchObject({ name: 'b', labels: { zone: 'eu' }, state: ExecutorState.NEVER_CONNECTED });
    expect(made.credentials).toMatchObject({
      executorName: 'b',
      linkUrls: stack.linkUrls,
      gatewayUrl: stack.gatewayUrl,
    });
    for (const name of ['c', 'a', 'd']) await create(executors, name);
    expect(await refusalOf(elsewhere.createExecutor({ name: 'b' }))).toBe('AlreadyExists NAME_TAKEN');
    const byId = await elsewhere.getExecutor({ executor: made.executor?.id ?? '' });
    expect(byId.executor).toEqual((await elsewhere.getExecutor({ executor: 'b' })).executor);
    const first = await elsewhere.listExecutors({ pageSize: 3 });
    const second = await elsewhere.listExecutors({ pageSize: 3, pageToken: first.nextPageToken });
    expect([...first.executors, ...second.executors].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(second.nextPageToken).toBe('');
    const labelled = await elsewhere.listExecutors({ labels: { zone: 'eu' } });
    expect(labelled.executors.map(({ name }) => name)).toEqual(['b']);
    expect((await elsewhere.listExecutors({ labels: { zone: 'eu', tier: '2' } })).executors).toEqual([]);
  });

  test('created at once under one name are one', async () => {
    const { executors, elsewhere } = accountOf('racing');
    const calls = Array.from({ length: 10 }, (_, i) =>
      (i % 2 === 0 ? executors : elsewhere).createExecutor({ name: 'x' }),
    );
    const outcomes = await Promise.allSettled(calls);
    const refused = calls.filter((_, i) => outcomes[i]?.status === 'rejected');
    expect(await Promise.all(refused.map(refusalOf))).toEqual(Array(9).fill('AlreadyExists NAME_TAKEN'));
    expect((await executors.listExecutors({})).executors).toHaveLength(1);
  });

  test('that are disabled take nothing more, and stay so', async () => {
    const { executors, elsewhere, commands } = accountOf('disabling');
    const credentials = await create(executors, 'x');
    const ping = { executor: 'x', kind: { case: 'ping' as const, value: {} } };
    await commands.issueCommand({ ...ping, requestId: 'before' });
    const { executor } = await executors.disableExecutor({ executor: 'x' });
    expect(executor?.state).toBe(ExecutorState.DISABLED);
    expect(executor?.credentials[0]?.expireTime).toBeDefined();
    expect(await verdict(credentials)).toBe('disabled');
    await until(
      async () => (await refusalOf(commands.issueCommand(ping))) === 'FailedPrecondition EXECUTOR_DISABLED',
      'refused',
      2_000,
    );
    // What was accepted before is answered as before.
    expect((await commands.issueCommand({ ...ping, requestId: 'before' })).alreadyIssued).toBe(true);
    expect(await refusalOf(elsewhere.rotateCredentials({ executor: 'x' }))).toBe(
      'FailedPrecondition EXECUTOR_DISABLED',
    );
    const again = await elsewhere.disableExecutor({ executor: 'x' });
    expect(again.executor?.disableTime).toEqual(executor?.disableTime);
  });

  test('are watched: all once, then each change, a dying replica included', async () => {
    const { executors, elsewhere } = accountOf('watching');
    const { executorId } = await create(executors, 'x');
    const stream = elsewhere.watchExecutors({})[Symbol.asyncIterator]();
    const next = async (): Promise<Executor | undefined> => (await stream.next()).value?.executor;
    expect(await next()).toMatchObject({ name: 'x', state: ExecutorState.NEVER_CONNECTED });
    await create(executors, 'y');
    expect((await next())?.name).toBe('y');
    const database = new Client({ connectionString: stack.databaseUrl });
    await database.connect();
    const beat = `INSERT INTO command.replica (id, heartbeat_time) VALUES ('lonely', now() - $1::interval)
      ON CONFLICT (id) DO UPDATE SET heartbeat_time = excluded.heartbeat_time`;
    await database.query(beat, ['0s']);
    await database.query(`UPDATE command.executor SET connect_time = now(), owner_replica = 'lonely' WHERE id = $1`, [
      executorId,
    ]);
    expect(await next()).toMatchObject({ name: 'x', state: ExecutorState.ONLINE, ownerReplica: 'lonely' });
    // Its replica falls silent: nobody writes to the executor's row, and the watcher hears of it all the same.
    await database.query(beat, ['1h']);
    expect(await next()).toMatchObject({ name: 'x', state: ExecutorState.OFFLINE, ownerReplica: '' });
    await database.end();
    await executors.rotateCredentials({ executor: 'y' });
    expect((await next())?.credentials).toHaveLength(2);
    await stream.return?.();
  });
});

describe('credentials', () => {
  test('overlap after a rotation, and end', async () => {
    const { executors } = accountOf('rotation');
    const first = await create(executors, 'x');
    const second = (await executors.rotateCredentials({ executor: 'x' })).credentials ?? first;
    expect([await verdict(first), await verdict(second)]).toEqual(['verified', 'verified']);
    expect(await verifier.verify(first.keyId, first.secret)).toMatchObject({
      executorId: first.executorId,
      accountId: 'rotation',
      name: 'x',
      expireMs: expect.any(Number),
    });
    expect(await verifier.verify(second.keyId, second.secret)).toMatchObject({ expireMs: null });
    const third = await executors.rotateCredentials({ executor: 'x', overlap: { seconds: 0n, nanos: 0 } });
    const newest = third.credentials ?? first;
    expect([await verdict(first), await verdict(second), await verdict(newest)]).toEqual([
      'revoked',
      'revoked',
      'verified',
    ]);
    const shown = third.executor?.credentials.map(({ keyId }) => keyId);
    expect(shown).toEqual([newest.keyId, second.keyId, first.keyId]);
  });

  test('rotated at once leave one without an end', async () => {
    const { executors, elsewhere } = accountOf('rotating-at-once');
    await create(executors, 'x');
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? executors : elsewhere).rotateCredentials({ executor: 'x' })),
    );
    const { executor } = await executors.getExecutor({ executor: 'x' });
    expect(executor?.credentials).toHaveLength(9);
    expect(executor?.credentials.filter(({ expireTime }) => expireTime === undefined)).toHaveLength(1);
  });

  test('take a wrong secret for nothing else, whatever became of the key', async () => {
    const { executors } = accountOf('guessing');
    const good = await create(executors, 'good');
    const bad = await create(executors, 'bad');
    await executors.disableExecutor({ executor: 'bad' });
    const secret = 'A'.repeat(43);
    const guesses = [
      { keyId: good.keyId, secret },
      { keyId: bad.keyId, secret },
      { keyId: good.keyId, secret: `${good.secret}x` },
      { keyId: good.keyId, secret: good.secret.slice(0, -1) },
    ];
    expect(await Promise.all(guesses.map(verdict))).toEqual(guesses.map(() => 'wrong_secret'));
    const strangers = [
      { keyId: 'k000000000000000000000000', secret: good.secret },
      { keyId: '', secret: '' },
      { keyId: 'k\0', secret },
      { keyId: 'x'.repeat(1_000), secret },
    ];
    expect(await Promise.all(strangers.map(verdict))).toEqual(strangers.map(() => 'unknown'));
  });

  test('of thousands at once are checked in batches, each with its own answer', async () => {
    const { executors } = accountOf('reconnecting');
    const good = await create(executors, 'good');
    const answers = await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => verdict(i % 3 === 0 ? good : { keyId: `k${i}`, secret: good.secret })),
    );
    expect(answers).toEqual(answers.map((_, i) => (i % 3 === 0 ? 'verified' : 'unknown')));
  });
});
