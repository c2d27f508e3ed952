import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test, vi } from 'vitest';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { reasonMetadataOf, reasonOf, retryAfterMsOf } from '../platform/grpc/status.ts';
import { issueBearer } from './domain/bearer.ts';
import { openTestDoor } from './test-door.ts';

const WHO_AM_I = AccessService.method.whoAmI;
const NEVER = { perSecond: 0.001, burst: 3 } as const;

describe('rate', () => {
  test('of one token is limited, and another token is not concerned', async () => {
    await using door = await openTestDoor({ limits: { tokenRate: NEVER } });
    const busy = door.issue('viewer');
    for (let call = 0; call < 3; call++) expect(await door.probe(WHO_AM_I, busy)).toBeUndefined();
    const error = await door.probe(WHO_AM_I, busy);
    expect(error?.code).toBe(Code.ResourceExhausted);
    if (error === undefined) throw new Error('the call succeeded');
    expect(reasonOf(error)).toBe('RATE_LIMITED');
    expect(reasonMetadataOf(error)).toEqual({ limit_per_second: '0.001' });
    expect(retryAfterMsOf(error)).toBeGreaterThan(0);
    expect(await door.probe(WHO_AM_I, door.issue('viewer'))).toBeUndefined();
  });

  test("of one executor's credential is limited, and another executor is not concerned", async () => {
    await using door = await openTestDoor({ limits: { tokenRate: NEVER }, link: { pollCommands: () => ({}) } });
    const { pollCommands } = ExecutorLinkService.method;
    const [busy, other] = [`vps-1.${'a'.repeat(43)}`, `vps-2.${'b'.repeat(43)}`];
    for (let call = 0; call < 3; call++) expect(await door.probe(pollCommands, busy)).toBeUndefined();
    expect((await door.probe(pollCommands, busy))?.code).toBe(Code.ResourceExhausted);
    expect(await door.probe(pollCommands, other)).toBeUndefined();
  });

  test('of one address is limited before anything is known of the caller', async () => {
    await using door = await openTestDoor({ limits: { addressRate: NEVER } });
    for (let call = 0; call < 3; call++) expect((await door.probe(WHO_AM_I))?.code).toBe(Code.Unauthenticated);
    expect((await door.probe(WHO_AM_I, door.issue('admin')))?.code).toBe(Code.ResourceExhausted);
    const plain = await fetch(`${door.url}/healthz`);
    expect([plain.status, Number(plain.headers.get('retry-after')) > 0]).toEqual([429, true]);
  });
});

test('watches of one token are bounded, and a closed one gives its place back', async () => {
  await using door = await openTestDoor({
    limits: { watchesMax: 2 },
    command: {
      async *watchCommands(_request, { signal }) {
        yield { cursor: '1' };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    },
  });
  const client = door.client(CommandService, door.issue('viewer'));
  const cancel = new AbortController();
  const open = async (signal: AbortSignal, own = client): Promise<string | undefined> =>
    (await own.watchCommands({}, { signal })[Symbol.asyncIterator]().next()).value?.cursor;
  const others = new AbortController();
  expect(await open(cancel.signal)).toBe('1');
  expect(await open(others.signal)).toBe('1');
  await expect(open(others.signal)).rejects.toMatchObject({ code: Code.ResourceExhausted });
  expect(await open(others.signal, door.client(CommandService, door.issue('viewer')))).toBe('1');
  cancel.abort();
  await vi.waitFor(async () => expect(await open(others.signal)).toBe('1'));
  others.abort();
});

test('calls that are open at once are bounded', async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using door = await openTestDoor({
    limits: { callsMax: 1 },
    command: {
      async getCommand() {
        entered.resolve();
        await release.promise;
        return {};
      },
    },
  });
  const client = door.client(CommandService, door.issue('viewer'));
  const first = client.getCommand({});
  await entered.promise;
  const refused = await door.probe(WHO_AM_I, door.issue('viewer'));
  expect(refused?.rawMessage).toContain('too many calls open');
  release.resolve();
  await first;
  await vi.waitFor(async () => expect(await door.probe(WHO_AM_I, door.issue('viewer'))).toBeUndefined());
});

describe('slow peers', () => {
  const limits = { headersMs: 200, requestMs: 300, idleMs: 250 };

  test.each([
    ['says nothing', ''],
    ['stops within the preface', 'PRI * HTT'],
    ['stops within the headers', 'POST / HTTP/1.1\r\nHost: a\r\n'],
    ['stops within the body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc'],
    ['opens HTTP/2 and calls nothing', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['keeps a connection and calls nothing more', 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('who %s is cut off', async (_, sent) => {
    await using door = await openTestDoor({ limits });
    const socket = connectTcp(door.port, '127.0.0.1');
    socket.write(sent);
    await closed(socket);
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
  });

  test('who sends an RPC too slowly gets DEADLINE_EXCEEDED, and the connection goes on', async () => {
    await using door = await openTestDoor({ limits });
    const session = connectHttp2(door.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/strategos.access.v1.AccessService/WhoAmI',
      'content-type': 'application/json',
      authorization: `Bearer ${door.issue('viewer')}`,
    });
    stream.write('{');
    const answer: { code?: string } = JSON.parse(Buffer.concat(await Array.fromAsync<Buffer>(stream)).toString());
    expect(answer.code).toBe('deadline_exceeded');
    session.close();
  });

  test('who reads nothing of a watch is cut off, and the service learns it', async () => {
    const ended = Promise.withResolvers<void>();
    await using door = await openTestDoor({
      limits: { stallMs: 200 },
      command: {
        async *watchCommands(_request, { signal }) {
          try {
            while (!signal.aborted) yield await Promise.resolve({ cursor: 'x'.repeat(60_000) });
          } finally {
            ended.resolve();
          }
        },
      },
    });
    const body = Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from('{}')]);
    const socket = connectTcp(door.port, '127.0.0.1');
    socket.pause();
    socket.write(
      `POST /strategos.command.v1.CommandService/WatchCommands HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+json\r\n` +
        `Authorization: Bearer ${door.issue('viewer')}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    await ended.promise;
    socket.destroy();
  });
});

test('connections above the bound are closed', async () => {
  await using door = await openTestDoor({ limits: { connectionsMax: 2 } });
  const sockets = await Promise.all([connected(door.port), connected(door.port)]);
  const third = connectTcp(door.port, '127.0.0.1');
  await closed(third);
  await vi.waitFor(() => expect(door.logText()).toContain('too many open'));
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => expect((await fetch(`${door.url}/healthz`)).status).toBe(200));
});

test('streams of one connection are bounded', async () => {
  await using door = await openTestDoor({ limits: { streamsMax: 7 } });
  const session = connectHttp2(door.url);
  const settings = await new Promise<{ maxConcurrentStreams?: number }>((resolve) =>
    session.once('remoteSettings', resolve),
  );
  expect(settings.maxConcurrentStreams).toBe(7);
  session.close();
});

test('headers above the bound are refused', async () => {
  await using door = await openTestDoor();
  const response = await fetch(`${door.url}/healthz`, { headers: { 'x-long': 'x'.repeat(20_000) } });
  expect(response.status).toBe(431);
});

test("executors' polls take no place from operators' calls", async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using door = await openTestDoor({
    limits: { callsMax: 1, pollsMax: 1 },
    link: {
      async pollCommands() {
        entered.resolve();
        await release.promise;
        return {};
      },
    },
  });
  const { pollCommands } = ExecutorLinkService.method;
  const first = door.probe(pollCommands, `vps-1.${'a'.repeat(43)}`);
  await entered.promise;
  expect((await door.probe(pollCommands, `vps-2.${'b'.repeat(43)}`))?.rawMessage).toContain('too many calls open');
  expect(await door.probe(WHO_AM_I, door.issue('viewer'))).toBeUndefined();
  release.resolve();
  expect(await first).toBeUndefined();
});

test('a peer that cuts its connection leaves nothing behind', async () => {
  const entered = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using door = await openTestDoor({
    limits: { callsMax: 1 },
    command: {
      async getCommand(_request, { signal }) {
        entered.resolve();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        aborted.resolve();
        throw new ConnectError('nobody listens', Code.Canceled);
      },
    },
  });
  const cut = new AbortController();
  const bearer = door.issue('viewer');
  const call = fetch(`${door.url}/strategos.command.v1.CommandService/GetCommand`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: '{}',
    signal: cut.signal,
  });
  await entered.promise;
  cut.abort();
  await expect(call).rejects.toThrow();
  await aborted.promise;
  await vi.waitFor(async () => expect(await door.probe(WHO_AM_I, bearer)).toBeUndefined());
  expect(door.logs.find((line) => line['code'] === 'CANCELED')).toBeDefined();
});

test.each(['GetCommand', 'WatchCommands'])(
  'who leaves %s while the token is looked up leaves nothing behind',
  async (rpc) => {
    const { bearer, tokenId, secretDigest } = issueBearer('4'.repeat(32));
    const known = {
      id: tokenId,
      accountId: 'main',
      name: 'desk',
      role: 'viewer',
      secretDigest,
      createTimeMs: 0,
    } as const;
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using door = await openTestDoor({
      limits: { callsMax: 1, watchesMax: 1 },
      find: async () => {
        asked.resolve();
        await answer.promise;
        return { ...known, revokeTimeMs: undefined };
      },
      command: {
        getCommand: () => ({ command: { id: 'c1' } }),
        async *watchCommands() {
          yield await Promise.resolve({ cursor: '1' });
        },
      },
    });
    const cut = new AbortController();
    const call = fetch(`${door.url}/strategos.command.v1.CommandService/${rpc}`, {
      method: 'POST',
      headers: {
        'content-type': `application/${rpc === 'GetCommand' ? 'json' : 'connect+json'}`,
        authorization: `Bearer ${bearer}`,
      },
      body: rpc === 'GetCommand' ? '{}' : '\0\0\0\0\u0002{}',
      signal: cut.signal,
    });
    await asked.promise;
    cut.abort();
    await expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(door.logs.find((line) => line['code'] === 'CANCELED')).toBeDefined());
    answer.resolve();
    const client = door.client(CommandService, bearer);
    if (rpc === 'GetCommand') expect((await client.getCommand({})).command?.id).toBe('c1');
    else expect(await Array.fromAsync(client.watchCommands({}))).toMatchObject([{ cursor: '1' }]);
  },
);

function connected(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket));
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve());
    socket.resume();
  });
}
