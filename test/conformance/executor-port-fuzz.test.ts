import { randomUUID } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { data, headers, preface } from '../../services/platform/grpc/raw-peer.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { concurrently } from '../fault/concurrently.ts';
import { seededRandom } from '../fault/random.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { converse, frameBytes, helloFrame } from './conversation.ts';
import { ATTACKS, type AttackTarget } from './port-attacks.ts';
import { type Latency, Probe } from './probe.ts';
import { RawConnection } from './raw-connection.ts';
import { ServiceWatch } from './service-watch.ts';
import { SlowReader } from './slow-reader.ts';
import type { Target } from './wire-http1.ts';

const SEED = 20_240_501;
/** A healthy executor waits for a ping no longer than this while others misbehave, on two busy cores. */
const HEALTHY_P99_MS_MAX = 3_000;
const GROWTH_MIB_MAX = 400;
/** Silence of a connection, and of its answer to a ping, after which it is cut; and a little more. */
const SILENT_MS_MAX = 20_000;
const FIRST_MESSAGE_MS = 5_000;
/** How long an agent may take nothing of what waits for it, and a little more. */
const STALL_MS_MAX = 13_000;
/** How long a stream that has ended may wait for a peer that does not read, and a little more. */
const STUCK_MS_MAX = 18_000;
const IDLE_CONNECTIONS = 2_000;
const EVENTS = 5_000;
const ACCEPTED = { type: 'accepted', response: undefined } as const;

const ended = new Stack();
let stack: TestStack;
let probe: Probe;
let services: ServiceWatch;
let attacker: Target;
let target: AttackTarget;
/** Connections that have said nothing that calls for an answer, from the beginning on. */
let silent: readonly RawConnection[];
/** An agent that asks for much and reads nothing, from the beginning on. */
let stuck: SlowReader;

beforeAll(async () => {
  stack = ended.use(await startStack({ gateway: false }), (started) => started[Symbol.asyncDispose]());
  probe = ended.use(await Probe.start(stack, 'replica'), (started) => started[Symbol.asyncDispose]());
  attacker = await credentialOf('attacker');
  target = {
    port: Number(new URL(attacker.url).port),
    path: pathOf(ExecutorLinkService.method.connect),
    headers: { authorization: `Bearer ${attacker.bearer}` },
    messages: [
      helloFrame('journal'),
      frameBytes({ frame: { case: 'heartbeat', value: { number: 1n } } }),
      frameBytes({ frame: { case: 'events', value: { events: [{ event: { case: 'received', value: {} } }] } } }),
    ],
  };
  services = await ServiceWatch.of(stack);
  silent = await openSilent();
  stuck = ended.use(new SlowReader(await credentialOf('stuck')), (reader) => reader[Symbol.dispose]());
  stuck.ask(40_000);
});
afterAll(() => ended.stop());

async function credentialOf(name: string): Promise<Target> {
  const { keyId, secret } = await stack.createExecutor(name);
  return { url: stack.linkUrls[0] ?? '', bearer: `${keyId}.${secret}` };
}

async function viewOf(executor: string) {
  return (await stack.replicaExecutorClient(0).getExecutor({ executor })).executor;
}

/** Nothing, half a preface, a preface, headers that never end, a call without its message: twenty of each. */
function openSilent(): Promise<RawConnection[]> {
  const call = headers(1, target.path, target.headers);
  const unfinished = Buffer.from(call);
  unfinished.writeUInt8(0, 4);
  const openings = [
    Buffer.alloc(0),
    preface().subarray(0, 10),
    preface(),
    Buffer.concat([preface(), unfinished]),
    Buffer.concat([preface(), call.subarray(0, call.length - 5)]),
    Buffer.concat([preface(), call, data(1, Buffer.from([0, 0, 0]))]),
  ];
  return concurrently(Array.from({ length: 20 }, () => openings).flat(), 20, async (bytes) => {
    const connection = ended.use(await RawConnection.open(target.port), (opened) => opened[Symbol.dispose]());
    await connection.say(bytes);
    return connection;
  });
}

/** The services are as they were, nobody had to wait, and the port serves. */
async function expectUnmoved(latency: Latency): Promise<void> {
  expect(latency.p99Ms).toBeLessThan(HEALTHY_P99_MS_MAX);
  expect(await services.complaints(GROWTH_MIB_MAX)).toEqual([]);
  expect(await converse(attacker, [helloFrame('journal')])).toEqual(ACCEPTED);
}

describe('the executor port, under', () => {
  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))('%s', async (_name, attack) => {
    await expectUnmoved(await probe.during(() => attack.run(target, seededRandom(SEED))));
  });

  test(`${IDLE_CONNECTIONS} connections that say nothing`, async () => {
    const idle: RawConnection[] = [];
    try {
      const latency = await probe.during(async () => {
        const numbers = Array.from({ length: IDLE_CONNECTIONS }, (_, at) => at);
        await concurrently(numbers, 100, async (at) => {
          const connection = await RawConnection.open(target.port);
          idle.push(connection);
          if (at % 2 === 0) await connection.say(preface());
        });
        expect(await converse(attacker, [helloFrame('journal')])).toEqual(ACCEPTED);
      });
      await expectUnmoved(latency);
    } finally {
      for (const connection of idle) connection[Symbol.dispose]();
    }
  });
});

describe('an agent that', () => {
  test('reads nothing of many deliveries ends with SLOW_CONSUMER', async () => {
    using slow = new SlowReader(await credentialOf('slow'));
    await until(async () => (await viewOf('slow'))?.ownerReplica !== '', 'the slow agent is connected');
    const ping = { executor: 'slow', kind: { case: 'ping' as const, value: { payload: '漢'.repeat(256) } } };
    const requests = Array.from({ length: 500 }, () => ping);
    const latency = await probe.during(async () => {
      const commands = stack.replicaCommandClient(0);
      for (let calls = 0; calls < 4; calls += 1) await commands.issueCommands({ requests });
      await until(async () => (await viewOf('slow'))?.disconnectReason !== '', 'the slow agent is cut', STALL_MS_MAX);
    });
    expect((await viewOf('slow'))?.disconnectReason).toBe('agent read too slowly');
    slow.read();
    expect(await slow.end).toMatchObject({ code: Code.ResourceExhausted, reason: 'SLOW_CONSUMER' });
    await expectUnmoved(latency);
  });

  test('reports what is none of its business changes nothing', async () => {
    await stack.createExecutor('other');
    const foreign = { ...FOUNDER, accountId: 'elsewhere' };
    await stack.replicaExecutorClient(0, foreign).createExecutor({ name: 'other' });
    const clients = [stack.replicaCommandClient(0), stack.replicaCommandClient(0, foreign)];
    const issued = await Promise.all(
      clients.map(async (client) => {
        const { command } = await client.issueCommand({ executor: 'other', kind: { case: 'pause', value: {} } });
        return { client, id: command?.id ?? '' };
      }),
    );
    const ids = [...issued.map(({ id }) => id), ...Array.from({ length: EVENTS }, () => randomUUID()), 'junk', ''];
    const value = { state: CommandState.SUCCEEDED };
    const batches = (['received', 'started', 'finished', 'notFound'] as const).map((name) =>
      frameBytes({
        frame: {
          case: 'events',
          value: {
            events: ids.map((commandId) => ({
              commandId,
              attempt: -1,
              event: name === 'finished' ? { case: name, value } : { case: name, value: {} },
            })),
          },
        },
      }),
    );
    const latency = await probe.during(async () => {
      expect(await converse(attacker, [helloFrame('journal'), ...batches])).toEqual(ACCEPTED);
    });
    for (const { client, id } of issued) {
      const { command } = await client.getCommand({ id });
      expect(command).toMatchObject({ state: CommandState.PENDING, attempt: 0 });
      expect((await client.explainCommand({ id })).timeline).toHaveLength(1);
    }
    await expectUnmoved(latency);
  });

  test.each(['2147483648m', '99999999m', '99999999S', '99999999H'])('gives its stream %s has it', async (timeout) => {
    expect(await converse(attacker, [helloFrame('journal')], { 'grpc-timeout': timeout })).toEqual(
      timeout.length > 9 ? expect.objectContaining({ type: 'refused', code: Code.InvalidArgument }) : ACCEPTED,
    );
  });

  test('says Hello twice, or what no release knows, has violated the protocol', async () => {
    const again = await converse(attacker, [helloFrame('journal'), helloFrame('journal')]);
    expect(again).toMatchObject({ code: Code.FailedPrecondition, reason: 'PROTOCOL_VIOLATION' });
    const unknown = await converse(attacker, [helloFrame('journal'), Uint8Array.of(0xfa, 0x06, 0)]);
    expect(unknown).toMatchObject({ code: Code.FailedPrecondition, reason: 'PROTOCOL_VIOLATION' });
  });

  test('never says Hello is cut by the first-message timer', async () => {
    const startMs = performance.now();
    const answer = await converse(attacker, [], {}, { proof: false });
    expect(answer).toMatchObject({ code: Code.FailedPrecondition, reason: 'PROTOCOL_VIOLATION' });
    const ms = performance.now() - startMs;
    expect(ms).toBeGreaterThan(FIRST_MESSAGE_MS - 100);
    expect(ms).toBeLessThan(FIRST_MESSAGE_MS + 2_500);
  });
});

test('a stream whose agent never reads again is closed', async () => {
  expect((await viewOf('stuck'))?.disconnectReason).toBe('agent read too slowly');
  await until(() => !stuck.isOpen, 'the stream of the stuck agent is closed', STUCK_MS_MAX);
});

test('connections that say nothing, or never finish, are cut', async () => {
  await until(() => silent.every(({ isClosed }) => isClosed), 'every silent connection is cut', SILENT_MS_MAX);
  await expectUnmoved(await probe.during(() => Promise.resolve()));
});
