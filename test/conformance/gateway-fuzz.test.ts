import { connect } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CommandService,
  GetCommandStatsRequestSchema,
  IssueCommandRequestSchema,
  WatchCommandsRequestSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { data, grpcMessage, headers, preface } from '../../services/platform/grpc/raw-peer.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { concurrently } from '../fault/concurrently.ts';
import { seededRandom } from '../fault/random.ts';
import type { TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { beginningsOf, damaged, noise } from './noise.ts';
import { ATTACKS, type AttackTarget } from './port-attacks.ts';
import { type Latency, Probe } from './probe.ts';
import { RawConnection, sayEach } from './raw-connection.ts';
import { startReadyStack } from './ready-stack.ts';
import { ServiceWatch } from './service-watch.ts';

const SEED = 20_240_502;
/** A healthy executor's ping takes no longer than this through the gateway while others misbehave, on two busy cores. */
const HEALTHY_P99_MS_MAX = 3_000;
const GROWTH_MIB_MAX = 400;
const IDLE_CONNECTIONS = 2_000;
/** The gateway's own limits, short, so that a test can wait for them. */
const LIMITS = {
  STRATEGOS_HEADERS_MS: '1500',
  STRATEGOS_REQUEST_MS: '2000',
  STRATEGOS_IDLE_MS: '2000',
  STRATEGOS_STALL_MS: '1500',
  STRATEGOS_PING_MS: '1000',
  STRATEGOS_PING_ANSWER_MS: '1000',
};
/** Every one of them, and a little more. */
const CUT_MS_MAX = 8_000;

const ended = new Stack();
let stack: TestStack;
let probe: Probe;
let services: ServiceWatch;
let bearer: string;
let port: number;
let target: AttackTarget;

beforeAll(async () => {
  stack = ended.use(await startReadyStack({ gatewayEnv: LIMITS }), (started) => started[Symbol.asyncDispose]());
  probe = ended.use(await Probe.start(stack, 'gateway'), (started) => started[Symbol.asyncDispose]());
  bearer = await stack.token();
  port = Number(new URL(stack.gatewayUrl).port);
  target = {
    port,
    path: pathOf(CommandService.method.getCommandStats),
    headers: { authorization: `Bearer ${bearer}` },
    messages: [toBinary(GetCommandStatsRequestSchema, create(GetCommandStatsRequestSchema, { executor: 'healthy' }))],
  };
  await stack.createExecutor('offline');
  services = await ServiceWatch.of(stack);
});
afterAll(() => ended.stop());

/** The services are as they were, nobody had to wait, and the gateway serves. */
async function expectUnmoved(latency: Latency): Promise<void> {
  expect(latency.p99Ms).toBeLessThan(HEALTHY_P99_MS_MAX);
  expect(await services.complaints(GROWTH_MIB_MAX)).toEqual([]);
  const { executor } = await (await stack.executorClient()).getExecutor({ executor: 'offline' });
  expect(executor?.name).toBe('offline');
}

/** Commands that were stored for the executor that nobody pings. */
async function storedCommands(): Promise<number> {
  const { count } = await (await stack.commandClient()).getCommandStats({ executor: 'offline' });
  return Number(count);
}

/** An IssueCommand over HTTP/1.1 as JSON, byte by byte as a client writes it. */
function issueOverHttp1(requestId: string): Buffer {
  const body = JSON.stringify({ executor: 'offline', requestId, pause: {} });
  const lines = [
    `POST ${pathOf(CommandService.method.issueCommand)} HTTP/1.1`,
    'host: gateway',
    `authorization: Bearer ${bearer}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** The same as gRPC over HTTP/2. */
function issueOverHttp2(requestId: string): Buffer {
  const request = create(IssueCommandRequestSchema, {
    executor: 'offline',
    requestId,
    kind: { case: 'pause', value: {} },
  });
  const message = grpcMessage(Buffer.from(toBinary(IssueCommandRequestSchema, request)));
  return Buffer.concat([
    preface(),
    headers(1, pathOf(CommandService.method.issueCommand), { authorization: `Bearer ${bearer}` }),
    data(1, message, true),
  ]);
}

/** A call with a deadline as the header says it. */
function callWithin(header: string, value: string, contentType: string, body: Uint8Array<ArrayBuffer>) {
  return fetch(`${stack.gatewayUrl}${target.path}`, {
    method: 'POST',
    headers: { 'content-type': contentType, authorization: `Bearer ${bearer}`, [header]: value },
    body,
  });
}

describe('the gateway, under', () => {
  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))('%s', async (_name, attack) => {
    await expectUnmoved(await probe.during(() => attack.run(target, seededRandom(SEED))));
  });

  test.each([
    ['HTTP/1.1', issueOverHttp1],
    ['HTTP/2', issueOverHttp2],
  ] as const)(
    '%s requests that are cut off after every byte: none is stored but the whole one',
    async (wire, write) => {
      const before = await storedCommands();
      const whole = write(`whole-over-${wire}`);
      const latency = await probe.during(() => sayEach(port, beginningsOf(whole).slice(0, -1)));
      expect(await storedCommands()).toBe(before);
      await sayEach(port, [whole]);
      await until(async () => (await storedCommands()) === before + 1, 'the whole request is stored');
      await expectUnmoved(latency);
    },
  );

  test('requests with a damaged byte', async () => {
    const random = seededRandom(SEED);
    const requests = [issueOverHttp1('damaged-1'), issueOverHttp2('damaged-2')];
    const latency = await probe.during(() =>
      sayEach(
        port,
        requests.flatMap((request) => damaged(request, 200, random)),
      ),
    );
    await expectUnmoved(latency);
  });

  test('requests that contradict themselves', async () => {
    const head = `POST ${pathOf(CommandService.method.issueCommand)} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
    const random = seededRandom(SEED);
    const odd = [
      `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
      `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${head}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}`,
      `${head}content-length: 99999999999999999999\r\n\r\n{}`,
      `${head}authorization: Bearer ${'a'.repeat(15_000)}\r\ncontent-length: 2\r\n\r\n{}`,
      `${head}authorization: \u0000\u0001\r\ncontent-length: 2\r\n\r\n{}`,
      `${head}authorization: Basic ${noise(random, 40).toString('base64')}\r\ncontent-length: 2\r\n\r\n{}`,
      `${head}authorization: Bearer sop_${'0'.repeat(32)}_${'x'.repeat(43)}\r\ncontent-length: 2\r\n\r\n{}`,
      `${head}content-encoding: gzip\r\nauthorization: Bearer ${bearer}\r\ncontent-length: 4\r\n\r\nnope`,
      `GET ${pathOf(CommandService.method.getCommand)}?connect=v1&encoding=json&message=%ff HTTP/1.1\r\nhost: x\r\n\r\n`,
      'GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n',
      'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n',
      'POST / HTTP/0.9\r\n\r\n',
    ];
    await expectUnmoved(
      await probe.during(() =>
        sayEach(
          port,
          odd.map((text) => Buffer.from(text, 'latin1')),
        ),
      ),
    );
  });

  test(`${IDLE_CONNECTIONS} connections that say nothing, and headers and bodies that never end: all are cut`, async () => {
    const call = headers(1, target.path, target.headers);
    const unfinished = Buffer.from(call);
    unfinished.writeUInt8(0, 4);
    const endless = [
      issueOverHttp1('never').subarray(0, 60),
      issueOverHttp1('never').subarray(0, -5),
      preface().subarray(0, 10),
      Buffer.concat([preface(), unfinished]),
      Buffer.concat([preface(), call, data(1, Buffer.from([0, 0, 0]))]),
    ];
    const opened: RawConnection[] = [];
    try {
      const latency = await probe.during(async () => {
        const numbers = Array.from({ length: IDLE_CONNECTIONS }, (_, at) => at);
        await concurrently(numbers, 100, async (at) => {
          const connection = await RawConnection.open(port);
          opened.push(connection);
          const said = at % 20 === 0 ? endless[(at / 20) % endless.length] : undefined;
          if (said !== undefined) await connection.say(said);
        });
        await until(() => opened.every(({ isClosed }) => isClosed), 'every connection is cut', CUT_MS_MAX);
      });
      await expectUnmoved(latency);
    } finally {
      for (const connection of opened) connection[Symbol.dispose]();
    }
  });

  test('a watcher that reads nothing: it is cut', async () => {
    const session = connect(stack.gatewayUrl);
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': pathOf(CommandService.method.watchCommands),
        'content-type': 'application/grpc+proto',
        te: 'trailers',
        authorization: `Bearer ${bearer}`,
      });
      // It is cut with a reset, which is an error of the stream.
      stream.on('error', () => stream.destroy());
      const request = create(WatchCommandsRequestSchema, { fromStart: true });
      stream.end(encodeEnvelope(0, toBinary(WatchCommandsRequestSchema, request)));
      const latency = await probe.during(async () => {
        const commands = await stack.commandClient();
        const pause = { executor: 'offline', kind: { case: 'pause' as const, value: {} } };
        // Much more than flow control lets through unread.
        await commands.issueCommands({ requests: Array.from({ length: 500 }, () => pause) });
        await until(() => stream.closed || stream.destroyed, 'the watcher is cut', CUT_MS_MAX);
      });
      await expectUnmoved(latency);
    } finally {
      session.destroy();
    }
  });
});

describe('a deadline of', () => {
  test.each(['2147483647', '2147483648', '4294967296', '9999999999'])('%s ms is kept within bounds', async (value) => {
    const answer = await callWithin('connect-timeout-ms', value, 'application/json', new TextEncoder().encode('{}'));
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ kinds: expect.anything() })]);
  });

  test.each(['99999999m', '99999999S', '99999999M', '99999999H'])('%s is kept within bounds', async (value) => {
    const body = new Uint8Array(encodeEnvelope(0, new Uint8Array()));
    const answer = await callWithin('grpc-timeout', value, 'application/grpc-web+proto', body);
    expect(new TextDecoder().decode(await answer.arrayBuffer())).toMatch(/grpc-status: ?0/);
  });

  test.each(['-1', '1e9', '99999999999', 'soon'])('"%s" is refused', async (value) => {
    const answer = await callWithin('connect-timeout-ms', value, 'application/json', new TextEncoder().encode('{}'));
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ code: 'invalid_argument' })]);
  });
});
