import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Client, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConnectRequestSchema,
  ExecutorLinkService,
  type HelloSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import {
  type Credentials,
  type Executor,
  ExecutorState,
  LinkKind,
  type Refusal,
} from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import { saidHello } from '../harness/doctored.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const WRONG_SECRET = 'A'.repeat(43);
const UNKNOWN_KEY = `k${'0'.repeat(24)}`;
const TRIES = 2_000;
const TRIES_AT_ONCE = 50;
/** One a try would be thousands; one in three seconds and the first are a handful, on a machine that is slow as well. */
const WRITES_MAX = 15;

type HelloInit = MessageInitShape<typeof HelloSchema>;
type Way = 'stream' | 'poll' | 'poll through the gateway';

const WAYS: readonly Way[] = ['stream', 'poll', 'poll through the gateway'];
const SERVED = { journalId: 'j', agentVersion: '1.0.0', contractDigest: OWN_DIGEST, kinds: ['ping'], inFlightMax: 8 };
const UNSUPPORTED = { ...SERVED, agentVersion: '0.9.0', contractDigest: 'f'.repeat(64), host: 'old-machine' };

let stack: TestStack;
let pool: Pool;

beforeAll(async () => {
  stack = await startStack({ commandReplicas: 2 });
  pool = new Pool({ connectionString: stack.databaseUrl, max: 2 });
  // Every row that is written, counted where nothing can be overlooked.
  await pool.query(`CREATE TABLE refusal_write (executor_id uuid);
    CREATE FUNCTION note_refusal() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO public.refusal_write VALUES (NEW.executor_id); RETURN NEW; END $$;
    CREATE TRIGGER note_refusal AFTER INSERT OR UPDATE ON command.refusal FOR EACH ROW EXECUTE FUNCTION note_refusal()`);
});

afterAll(async () => {
  await pool.end();
  await stack[Symbol.asyncDispose]();
});

async function writesOf(executorId?: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM refusal_write WHERE $1::uuid IS NULL OR executor_id = $1',
    [executorId ?? null],
  );
  return rows[0]?.count ?? 0;
}

interface Link extends Disposable {
  readonly client: Client<typeof ExecutorLinkService>;
}

function linkOf({ keyId, secret }: Pick<Credentials, 'keyId' | 'secret'>, way: Way): Link {
  const authorization = `Bearer ${keyId}.${secret}`;
  if (way === 'poll through the gateway') {
    const transport = createConnectTransport({
      baseUrl: stack.gatewayUrl,
      httpVersion: '1.1',
      interceptors: [
        (next) => (request) => {
          request.header.set('authorization', authorization);
          return next(request);
        },
      ],
    });
    return { client: createClient(ExecutorLinkService, transport), [Symbol.dispose]: () => undefined };
  }
  const urls = [stack.linkUrls[0] ?? ''];
  const transport = createGrpcTransport({ urls, ownConnection: true, headers: () => ({ authorization }) });
  return { client: createClient(ExecutorLinkService, transport), [Symbol.dispose]: () => transport.close() };
}

async function say(client: Client<typeof ExecutorLinkService>, way: Way, hello: HelloInit): Promise<void> {
  if (way !== 'stream') {
    await client.pollCommands({ hello });
    return;
  }
  async function* frames() {
    yield create(ConnectRequestSchema, { frame: { case: 'hello', value: hello } });
  }
  for await (const _ of client.connect(frames())) return;
}

/** Calls once with that Hello; whether it was served. */
async function call(credentials: Pick<Credentials, 'keyId' | 'secret'>, way: Way, hello: HelloInit): Promise<boolean> {
  using link = linkOf(credentials, way);
  return await say(link.client, way, hello).then(
    () => true,
    () => false,
  );
}

/** Says no Hello, as `executor doctor` does. */
async function* nothing(): AsyncGenerator<never> {
  // It only looks whether the stream gets through.
}

async function executorAt(replica: number, executor: string): Promise<Executor> {
  const { executor: found } = await stack.replicaExecutorClient(replica).getExecutor({ executor });
  if (found === undefined) throw new Error(`no executor ${executor}`);
  return found;
}

/** What both replicas say of the executor once its latest refusal is such. */
async function refusedFor(executor: string, reason: ErrorReason): Promise<Refusal> {
  const seen = await Promise.all(
    [0, 1].map((replica) =>
      until(async () => {
        const { lastRefusal } = await executorAt(replica, executor);
        return lastRefusal?.reason === reason && lastRefusal;
      }, `replica ${replica} knows that ${executor} is refused ${ErrorReason[reason]}`),
    ),
  );
  const [first, second] = seen;
  if (first === undefined) throw new Error('no replica was asked');
  expect(second).toEqual(first);
  return first;
}

describe.concurrent.each(WAYS)('an agent that is refused over %s', (way) => {
  const name = (of: string): string => `${of}-${WAYS.indexOf(way)}`;
  const link = way === 'stream' ? LinkKind.STREAM : LinkKind.POLL;

  test('for an unsupported wire format: what build it is, where, and what to do', async () => {
    const executor = name('unsupported');
    const credentials = await stack.createExecutor(executor);
    expect(await call(credentials, way, UNSUPPORTED)).toBe(false);
    const refusal = await refusedFor(executor, ErrorReason.CONTRACT_UNSUPPORTED);
    expect(refusal).toMatchObject({
      agentVersion: '0.9.0',
      contractDigest: 'f'.repeat(64),
      host: 'old-machine',
      keyId: credentials.keyId,
      link,
      credentialProven: true,
      current: true,
    });
    expect(refusal.message).toContain('install an agent of version 1.0.0');
    expect(refusal.remedy).toContain('can-deploy');
    expect((await executorAt(1, executor)).state).toBe(ExecutorState.NEVER_CONNECTED);
  });

  test('for a wrong secret: which key, and that nobody knows who it was', async () => {
    const executor = name('mistyped');
    const { keyId } = await stack.createExecutor(executor);
    expect(await call({ keyId, secret: WRONG_SECRET }, way, { ...SERVED, host: 'of-his-choice' })).toBe(false);
    const refusal = await refusedFor(executor, ErrorReason.CREDENTIAL_INVALID);
    expect(refusal).toMatchObject({
      message: `key ${keyId} came with a wrong secret`,
      host: '',
      link,
      credentialProven: false,
      current: true,
    });
    expect(refusal.remedy).toContain(`strategos executor rotate ${executor}`);
  });

  test('for a credential that was rotated away', async () => {
    const executor = name('rotated');
    const credentials = await stack.createExecutor(executor);
    await stack.replicaExecutorClient(0).rotateCredentials({ executor, overlap: { seconds: 0n } });
    expect(await call(credentials, way, SERVED)).toBe(false);
    const refusal = await refusedFor(executor, ErrorReason.CREDENTIAL_REVOKED);
    expect(refusal).toMatchObject({ keyId: credentials.keyId, credentialProven: true, current: true });
  });

  test('for an executor that was disabled', async () => {
    const executor = name('disabled');
    const credentials = await stack.createExecutor(executor);
    await stack.replicaExecutorClient(0).disableExecutor({ executor });
    expect(await call(credentials, way, SERVED)).toBe(false);
    expect(await refusedFor(executor, ErrorReason.EXECUTOR_DISABLED)).toMatchObject({ current: true });
    expect((await executorAt(1, executor)).state).toBe(ExecutorState.DISABLED);
  });

  test('for a Hello that cannot be used: each field', async () => {
    const executor = name('odd');
    expect(await call(await stack.createExecutor(executor), way, { ...SERVED, journalId: '', inFlightMax: -1 })).toBe(
      false,
    );
    const { message, agentVersion } = await refusedFor(executor, ErrorReason.INVALID_FIELD);
    expect(message).toMatch(/hello\.journal_id: .*hello\.in_flight_max: /);
    expect(agentVersion).toBe('1.0.0');
  });
});

test.concurrent('an agent that is refused for this and then for that is refused since the first', async () => {
  const credentials = await stack.createExecutor('fickle');
  await call(credentials, 'stream', UNSUPPORTED);
  const first = await refusedFor('fickle', ErrorReason.CONTRACT_UNSUPPORTED);
  await call(credentials, 'poll', { ...SERVED, journalId: '' });
  const then = await refusedFor('fickle', ErrorReason.INVALID_FIELD);
  if (first.time === undefined || then.time === undefined) throw new Error('no times');
  expect(timestampMs(then.time)).toBeGreaterThan(timestampMs(first.time));
  expect(then.sinceTime).toEqual(first.sinceTime);
});

test.concurrent('an agent that is accepted is refused no more, and the refusal is plainly older than its connection', async () => {
  const credentials = await stack.createExecutor('updated');
  await call(credentials, 'stream', UNSUPPORTED);
  expect(await refusedFor('updated', ErrorReason.CONTRACT_UNSUPPORTED)).toMatchObject({ current: true });
  const peer = await saidHello(credentials, SERVED);
  const online = await executorAt(1, 'updated');
  expect([online.state, online.lastRefusal?.current]).toEqual([ExecutorState.ONLINE, false]);
  await peer[Symbol.asyncDispose]();
  const offline = await until(async () => {
    const executor = await executorAt(1, 'updated');
    return executor.state === ExecutorState.OFFLINE && executor;
  }, 'the updated agent is gone');
  expect(offline.lastRefusal?.current).toBe(false);
  if (offline.lastRefusal?.time === undefined || offline.connectTime === undefined) throw new Error('no times');
  expect(timestampMs(offline.lastRefusal.time)).toBeLessThan(timestampMs(offline.connectTime));
});

test.concurrent('an agent whose credential ends while it is connected is refused since then', async () => {
  const credentials = await stack.createExecutor('outlived');
  await using peers = new AsyncDisposableStack();
  peers.use(await saidHello(credentials, { ...SERVED, host: 'here' }));
  await stack.replicaExecutorClient(0).rotateCredentials({ executor: 'outlived', overlap: { seconds: 0n } });
  const refusal = await refusedFor('outlived', ErrorReason.CREDENTIAL_REVOKED);
  expect(refusal.host).toBe('here');
  const offline = await until(async () => {
    const executor = await executorAt(1, 'outlived');
    return executor.state === ExecutorState.OFFLINE && executor;
  }, 'its stream has ended');
  expect(offline.lastRefusal?.current).toBe(true);
});

test.concurrent('an agent that another one with its credential fenced is named, and its own newer stream is no refusal', async () => {
  const credentials = await stack.createExecutor('shared');
  await using peers = new AsyncDisposableStack();
  for (const journalId of ['j', 'j', 'other']) {
    peers.use(await saidHello(credentials, { ...SERVED, journalId, host: `machine-of-${journalId}` }));
  }
  const refusal = await refusedFor('shared', ErrorReason.STREAM_SUPERSEDED);
  expect(refusal).toMatchObject({ host: 'machine-of-j', current: false });
  expect(refusal.message).toContain('epoch 3');
});

test.concurrent('who only looks whether the link works leaves nothing behind', async () => {
  const { keyId, secret, executorId } = await stack.createExecutor('looked-at');
  using wrong = linkOf({ keyId, secret: WRONG_SECRET }, 'stream');
  await expect(wrong.client.checkLink({})).rejects.toThrow();
  using right = linkOf({ keyId, secret }, 'stream');
  const silent = right.client.connect(nothing());
  await expect(silent[Symbol.asyncIterator]().next()).rejects.toThrow(/ended before a hello/);
  // What comes later is written no earlier.
  await call({ keyId, secret }, 'stream', UNSUPPORTED);
  await refusedFor('looked-at', ErrorReason.CONTRACT_UNSUPPORTED);
  expect(await writesOf(executorId)).toBe(1);
});

test.concurrent('a wrong secret does not cover up why the agent itself is refused', async () => {
  const { keyId, secret, executorId } = await stack.createExecutor('covered');
  await call({ keyId, secret }, 'poll', UNSUPPORTED);
  await refusedFor('covered', ErrorReason.CONTRACT_UNSUPPORTED);
  await call({ keyId, secret: WRONG_SECRET }, 'poll', SERVED);
  const other = await stack.createExecutor('covered-later');
  await call(other, 'poll', UNSUPPORTED);
  await refusedFor('covered-later', ErrorReason.CONTRACT_UNSUPPORTED);
  expect(await writesOf(executorId)).toBe(1);
  await refusedFor('covered', ErrorReason.CONTRACT_UNSUPPORTED);
});

/** Calls as often as an agent does that has lost all patience. */
async function flood(credentials: Pick<Credentials, 'keyId' | 'secret'>, hello: HelloInit): Promise<void> {
  using link = linkOf(credentials, 'poll');
  let left = TRIES;
  const one = async (): Promise<void> => {
    while (left-- > 0) await expect(say(link.client, 'poll', hello)).rejects.toThrow();
  };
  await Promise.all(Array.from({ length: TRIES_AT_ONCE }, one));
}

test('thousands of refused tries are a handful of writes, and those with an unknown key none', async () => {
  const impatient = await stack.createExecutor('impatient');
  const guessed = await stack.createExecutor('guessed');
  const before = await writesOf();
  await flood(impatient, UNSUPPORTED);
  await flood({ keyId: guessed.keyId, secret: WRONG_SECRET }, SERVED);
  await flood({ keyId: UNKNOWN_KEY, secret: WRONG_SECRET }, SERVED);
  await refusedFor('impatient', ErrorReason.CONTRACT_UNSUPPORTED);
  await refusedFor('guessed', ErrorReason.CREDENTIAL_INVALID);
  const [known, wrong, all] = await Promise.all([
    writesOf(impatient.executorId),
    writesOf(guessed.executorId),
    writesOf(),
  ]);
  expect(known).toBeGreaterThan(0);
  expect(known + wrong).toBeLessThanOrEqual(WRITES_MAX);
  expect(all - before).toBe(known + wrong);
});
