import { createServer, type Server as HttpServer } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../../test/harness/port.ts';
import { AsyncQueue } from '../async-queue.ts';
import { Stack } from '../lifecycle.ts';
import { EchoService, failureOf, startEcho } from './echo-fixture.ts';
import { reasonMetadataOf, reasonOf } from './status.ts';
import { createGrpcTransport, type GrpcTransportOptions } from './transport.ts';

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.stop());

async function echo(...given: Parameters<typeof startEcho>) {
  const started = await startEcho(...given);
  stack.add(started.server);
  return started;
}

function clientOf(urls: readonly string[], options: Partial<GrpcTransportOptions> = {}) {
  return createClient(
    EchoService,
    stack.use(createGrpcTransport({ urls, ...options }), (t) => t.close()),
  );
}

function listen(server: HttpServer | ReturnType<typeof createTcpServer>, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('no port'));
    });
  });
}

async function first(stream: AsyncIterable<{ readonly value: string }>): Promise<string | undefined> {
  for await (const { value } of stream) return value;
  return undefined;
}

describe('a peer that cannot be reached', () => {
  test('is named, with why', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const error = await failureOf(clientOf([url]).say({}));
    expect([error.code, reasonOf(error), reasonMetadataOf(error)]).toEqual([
      Code.Unavailable,
      'UNAVAILABLE',
      { dependency: url },
    ]);
    expect(error.rawMessage).toBe(`cannot reach ${url} (connect ECONNREFUSED ${url.slice('http://'.length)})`);
    expect((await failureOf(first(clientOf([url]).repeat({})))).rawMessage).toContain(`cannot reach ${url}`);
  });

  test('by a name that does not resolve is named', async () => {
    const error = await failureOf(clientOf(['http://no-such-host.invalid:80']).say({}));
    expect([error.code, error.rawMessage]).toEqual([
      Code.Unavailable,
      expect.stringContaining('cannot reach http://no-such-host.invalid'),
    ]);
  });

  test('but comes up is found again', async () => {
    const port = await freePort();
    const client = clientOf([`http://127.0.0.1:${port}`]);
    await failureOf(client.say({}));
    await echo({}, {}, { port });
    await vi.waitFor(async () => expect((await client.say({ value: 'up' })).value).toBe('up'), { timeout: 5_000 });
  });

  test('and is no gRPC server is named as that', async () => {
    const web = createServer((_request, response) => response.writeHead(404).end());
    stack.use(web, (s) => void s.close());
    const url = `http://127.0.0.1:${await listen(web)}`;
    const error = await failureOf(clientOf([url], { timeoutMs: 2_000 }).say({}));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toContain(url);
  });
});

test('a host name is resolved', async () => {
  const { port } = await echo();
  expect((await clientOf([`http://localhost:${port}`]).say({ value: 'hi' })).value).toBe('hi');
});

test('a URL that is none is refused with its text', () => {
  expect(() => createGrpcTransport({ urls: ['127.0.0.1:7070'] })).toThrow('"127.0.0.1:7070" is not a URL to call');
  expect(() => createGrpcTransport({ urls: ['ftp://x'] })).toThrow('http://host:port');
  expect(() => createGrpcTransport({ urls: [] })).toThrow('at least one URL');
});

describe('several peers', () => {
  test('take turns', async () => {
    const counts = [0, 0];
    const urls: string[] = [];
    for (const index of [0, 1]) {
      const { url } = await echo({
        say: (request) => {
          counts[index] = (counts[index] ?? 0) + 1;
          return request;
        },
      });
      urls.push(url);
    }
    const client = clientOf(urls);
    for (let call = 0; call < 10; call += 1) await client.say({});
    expect(counts).toEqual([5, 5]);
  });

  test('stand in for each other, for unary calls and streams', async () => {
    const { url } = await echo();
    const client = clientOf([`http://127.0.0.1:${await freePort()}`, url]);
    for (let call = 0; call < 6; call += 1) expect((await client.say({ value: 'there' })).value).toBe('there');
    for (let call = 0; call < 4; call += 1) expect(await first(client.repeat({ value: 'r' }))).toBe('r0');
  });

  test('that are all away are all named', async () => {
    const urls = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
    expect((await failureOf(first(clientOf(urls).repeat({})))).rawMessage).toBe(
      `cannot reach any of ${urls.join(', ')}`,
    );
    expect((await failureOf(clientOf(urls).say({}))).code).toBe(Code.Unavailable);
  });

  test('are not asked again for a call that one of them refused', async () => {
    let asked = 0;
    const say = () => {
      asked += 1;
      throw new ConnectError('busy', Code.Unavailable);
    };
    const urls = [(await echo({ say })).url, (await echo({ say })).url];
    expect((await failureOf(clientOf(urls).say({}))).rawMessage).toBe('busy');
    expect(asked).toBe(1);
  });
});

test('a connection that breaks during a call is named', async () => {
  const { url, server } = await echo({ say: () => new Promise(() => undefined) }, { drainMs: 20 });
  const failed = failureOf(clientOf([url], { ownConnection: true }).say({}));
  await vi.waitFor(() => expect(server.openCalls).toBe(1));
  await server.stop();
  const error = await failed;
  expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, 'UNAVAILABLE']);
});

test('a peer that falls silent without closing is given up', async () => {
  const { port } = await echo({
    async *repeat(_request, context) {
      yield { value: 'open' };
      await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
    },
  });
  const sockets: Socket[] = [];
  const swallow = createTcpServer((near) => {
    const far = connect(port, '127.0.0.1');
    sockets.push(near, far);
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  const url = `http://127.0.0.1:${await listen(swallow)}`;
  stack.use(swallow, () => {
    swallow.close();
    for (const socket of sockets) socket.destroy();
  });
  const answers = clientOf([url], { keepaliveMs: 50, ownConnection: true }).repeat({})[Symbol.asyncIterator]();
  await answers.next();
  for (const socket of sockets) socket.unpipe().pause();
  const error = await failureOf(answers.next());
  expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, 'UNAVAILABLE']);
});

test('transports share a connection unless they ask for their own', async () => {
  const peers = new Set<string>();
  const { url, lines } = await echo();
  const call = async (ownConnection: boolean): Promise<void> => {
    await clientOf([url], { ownConnection }).say({});
  };
  await call(false);
  await call(false);
  await vi.waitFor(() => expect(lines.filter((line) => line['msg'] === 'call')).toHaveLength(2));
  for (const line of lines) peers.add(String(line['peer']));
  expect(peers.size).toBe(1);
  await call(true);
  await call(true);
  await vi.waitFor(() => expect(lines.filter((line) => line['msg'] === 'call')).toHaveLength(4));
  for (const line of lines) peers.add(String(line['peer']));
  expect(peers.size).toBe(3);
});

describe('headers', () => {
  test('of the transport go with every call; those of the call win', async () => {
    const seen: (string | null)[] = [];
    const { url } = await echo({
      say(request, context) {
        seen.push(context.requestHeader.get('x-one'), context.requestHeader.get('x-two'));
        return request;
      },
    });
    const client = clientOf([url], { headers: () => ({ 'x-one': '1', 'X-Two': '2' }) });
    await client.say({}, { headers: { 'x-two': 'two' } });
    expect(seen).toEqual(['1', 'two']);
  });

  test('that no header can hold are refused before anything is sent', async () => {
    const { url } = await echo();
    await expect(clientOf([url]).say({}, { headers: { 'x-note': 'café' } })).rejects.toThrow('x-note');
  });
});

describe('sizes', () => {
  test('a message that may not be sent, or not be received, says so', async () => {
    const { url } = await echo({ say: (request) => ({ value: request.value.repeat(100) }) });
    const client = clientOf([url], { messageBytesMax: 1_000 });
    for (const value of ['x'.repeat(2_000), 'x'.repeat(100)]) {
      const error = await failureOf(client.say({ value }));
      expect([error.code, reasonOf(error), reasonMetadataOf(error)]).toEqual([
        Code.ResourceExhausted,
        'MESSAGE_TOO_LARGE',
        { bytes_max: '1000' },
      ]);
    }
  });
});

describe('cancelling', () => {
  test('carries the reason of the signal', async () => {
    const { url, server } = await echo({ say: () => new Promise(() => undefined) });
    const cancel = new AbortController();
    const failed = failureOf(clientOf([url]).say({}, { signal: cancel.signal }));
    await vi.waitFor(() => expect(server.openCalls).toBe(1));
    cancel.abort(new Error('no longer wanted'));
    expect(await failed).toMatchObject({ code: Code.Canceled, rawMessage: 'no longer wanted' });
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
  });

  test('before the start makes no call', async () => {
    const { url, lines } = await echo();
    const error = await failureOf(clientOf([url]).say({}, { signal: AbortSignal.abort() }));
    expect(error.code).toBe(Code.Canceled);
    expect(lines).toEqual([]);
  });

  test('happens by itself when the input of a stream fails', async () => {
    const { url, server } = await echo();
    const input = (async function* () {
      yield { value: 'one' };
      throw new Error('the input broke');
    })();
    const answers = clientOf([url]).talk(input)[Symbol.asyncIterator]();
    const drained = (async () => {
      while ((await answers.next()).done !== true);
    })();
    await expect(drained).rejects.toThrow('the input broke');
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
  });

  test('of a stream ends its input', async () => {
    const { url } = await echo();
    const left = Promise.withResolvers<void>();
    const cancel = new AbortController();
    const input = new AsyncQueue<{ value: string }>({ itemsMax: 10, onTake: () => !input.open && left.resolve() });
    input.push({ value: 'a' });
    const answers = clientOf([url]).talk(input, { signal: cancel.signal })[Symbol.asyncIterator]();
    expect((await answers.next()).value?.value).toBe('a');
    const next = failureOf(answers.next());
    cancel.abort();
    expect((await next).code).toBe(Code.Canceled);
    await left.promise;
    expect(input.push({ value: 'b' })).toBe(false);
  });
});

test('queues as input and output carry everything in order', async () => {
  const count = 20_000;
  const { url } = await echo({
    talk(requests) {
      const output = new AsyncQueue<{ value: string }>({ itemsMax: count });
      const copy = async (): Promise<void> => {
        for await (const request of requests) output.push({ value: request.value });
        output.end();
      };
      copy().catch((thrown: unknown) => output.fail(thrown));
      return output;
    },
  });
  const input = new AsyncQueue<{ value: string }>({ itemsMax: count });
  for (let index = 0; index < count; index += 1) input.push({ value: String(index) });
  input.end();
  let next = 0;
  for await (const { value } of clientOf([url]).talk(input)) {
    if (value !== String(next)) throw new Error(`expected ${next}, got ${value}`);
    next += 1;
  }
  expect(next).toBe(count);
});

test('a closed transport says so', async () => {
  const { url } = await echo();
  const transport = createGrpcTransport({ urls: [url] });
  transport.close();
  const error = await failureOf(createClient(EchoService, transport).say({}));
  expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, 'the transport is closed']);
});
