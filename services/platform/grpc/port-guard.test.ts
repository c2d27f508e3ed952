import { connect, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Stack } from '../lifecycle.ts';
import { EchoService, startEcho } from './echo-fixture.ts';
import { data, frame, grpcMessage, headers, preface, rawPeer, reset } from './raw-peer.ts';
import { reasonOf } from './status.ts';
import { createGrpcTransport } from './transport.ts';

const SAY = '/test.v1.EchoService/Say';
const TALK = '/test.v1.EchoService/Talk';

let stack: Stack;
const uncaught: unknown[] = [];
const keep = (thrown: unknown): void => void uncaught.push(thrown);

beforeEach(() => {
  stack = new Stack();
  uncaught.length = 0;
  process.on('uncaughtExceptionMonitor', keep);
  process.on('unhandledRejection', keep);
});

afterEach(async () => {
  await stack.stop();
  process.off('uncaughtExceptionMonitor', keep);
  process.off('unhandledRejection', keep);
  expect(uncaught).toEqual([]);
});

async function port(
  limits: Parameters<typeof startEcho>[1] = {},
  implementation: Parameters<typeof startEcho>[0] = {},
) {
  const started = await startEcho(implementation, { drainMs: 100, ...limits });
  stack.add(started.server);
  return started;
}

function clientOf(url: string) {
  const transport = stack.use(createGrpcTransport({ urls: [url], ownConnection: true }), (t) => t.close());
  return createClient(EchoService, transport);
}

/** Sends bytes on a fresh connection, then its end, and resolves when the server has closed it. */
async function send(toPort: number, ...parts: readonly Buffer[]): Promise<void> {
  const socket = await rawPeer(toPort);
  await new Promise<void>((resolve) => {
    socket.removeAllListeners('error');
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.end(Buffer.concat(parts));
  });
  socket.destroy();
}

/** Deterministic noise, so that a failure repeats. */
function noise(length: number, seed: number): Buffer {
  let state = seed;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state >> 16;
    }),
  );
}

describe('hostile bytes', () => {
  const message = grpcMessage(Buffer.from([0x0a, 3, 0x61, 0x62, 0x63]));
  const cases: Readonly<Record<string, readonly Buffer[]>> = {
    'an HTTP/1.1 request': [Buffer.from('POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc')],
    'a TLS hello': [Buffer.from('16030100c8010000c40303', 'hex')],
    'a preface cut short': [preface().subarray(0, 11)],
    'a frame cut short': [preface(), headers(1, SAY).subarray(0, 20)],
    'a call reset at once': [preface(), headers(1, SAY), reset(1)],
    'an unknown call reset at once': [preface(), headers(1, '/no.Such/Method'), reset(1)],
    'a path that is not text': [preface(), headers(1, '/\u0080\u00ff%')],
    'a path with an escape that is none': [preface(), headers(1, '/%E0%A4%A')],
    'a foreign content type': [preface(), headers(1, SAY, { 'content-type': 'text/plain' })],
    'headers that are not text': [preface(), headers(1, SAY, { 'x-note': '\u0007\u00ff', 'x-raw-bin': '!!!' })],
    'a malformed deadline': [preface(), headers(1, SAY, { 'grpc-timeout': 'soon' }), data(1, message, true)],
    'a message cut short': [preface(), headers(1, SAY), data(1, message.subarray(0, 7), true)],
    'no message': [preface(), headers(1, SAY), data(1, Buffer.alloc(0), true)],
    'two messages': [preface(), headers(1, SAY), data(1, Buffer.concat([message, message]), true)],
    'a message of noise': [preface(), headers(1, SAY), data(1, grpcMessage(noise(200, 7)), true)],
    'a length of four gigabytes': [preface(), headers(1, SAY), data(1, Buffer.from([0, 255, 255, 255, 255, 1]), true)],
    'a broken compression': [
      preface(),
      headers(1, SAY, { 'grpc-encoding': 'gzip' }),
      data(1, grpcMessage(noise(50, 3), true), true),
    ],
    'an unknown compression': [
      preface(),
      headers(1, SAY, { 'grpc-encoding': 'lz77' }),
      data(1, grpcMessage(noise(50, 3), true), true),
    ],
    'a compressed bomb': [
      preface(),
      headers(1, SAY, { 'grpc-encoding': 'gzip' }),
      data(1, grpcMessage(gzipSync(Buffer.alloc(8_000_000)), true), true),
    ],
    'data for a stream that is not open': [preface(), data(5, message, true)],
    'a settings frame of the wrong size': [preface(), frame(4, 0, 0, Buffer.alloc(5))],
  };

  test.each(Object.entries(cases))('%s leaves the port serving', async (_name, parts) => {
    const { port: boundPort, url } = await port();
    await send(boundPort, ...parts);
    expect((await clientOf(url).say({ value: 'still here' })).value).toBe('still here');
  });

  test('noise, plain and behind a preface, leaves the port serving', async () => {
    const { port: boundPort, url } = await port();
    for (let seed = 1; seed <= 20; seed += 1) {
      await send(boundPort, noise(2_000, seed));
      await send(boundPort, preface(), noise(2_000, seed));
      await send(boundPort, preface(), headers(1, TALK), data(1, noise(2_000, seed)));
    }
    expect((await clientOf(url).say({ value: 'still here' })).value).toBe('still here');
  });

  test('thousands of empty messages in one frame do not exhaust the stack of a handler that reads none', async () => {
    const closed = Promise.withResolvers<void>();
    const { port: boundPort, url } = await port(
      {},
      {
        async *talk(requests, context) {
          for await (const request of requests) {
            yield request;
            break;
          }
          context.signal.addEventListener('abort', () => closed.resolve());
          await closed.promise;
        },
      },
    );
    const socket = await rawPeer(boundPort);
    socket.write(Buffer.concat([preface(), headers(1, TALK), data(1, Buffer.alloc(16_380))]));
    expect((await clientOf(url).say({ value: 'still here' })).value).toBe('still here');
    socket.destroy();
    await closed.promise;
  });
});

/** Sends one gRPC request body as given and resolves with the status that comes back. */
function grpcStatus(url: string, body: Buffer, extra: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const session = stack.use(connect(url), (s) => s.destroy());
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': SAY, 'content-type': 'application/grpc', ...extra });
    stream.on('error', reject);
    stream.on('response', (answer) => {
      if (answer['grpc-status'] !== undefined) resolve(Number(answer['grpc-status']));
    });
    stream.on('trailers', (trailer) => resolve(Number(trailer['grpc-status'])));
    stream.resume();
    stream.end(body);
  });
}

describe('requests that cannot be read', () => {
  const message = grpcMessage(Buffer.from([0x0a, 3, 0x61, 0x62, 0x63]));
  const cases: readonly [string, Code | 0, Buffer, Readonly<Record<string, string>>?][] = [
    ['a good one', 0, message],
    ['noise', Code.InvalidArgument, grpcMessage(noise(200, 7))],
    ['a string that is cut short', Code.InvalidArgument, grpcMessage(Buffer.from([0x0a, 50, 0x61]))],
    ['none', Code.InvalidArgument, Buffer.alloc(0)],
    ['half of one', Code.InvalidArgument, message.subarray(0, 7)],
    ['two', Code.InvalidArgument, Buffer.concat([message, message])],
    ['a broken compression', Code.InvalidArgument, grpcMessage(noise(50, 3), true), { 'grpc-encoding': 'gzip' }],
    ['an unknown compression', Code.Unimplemented, grpcMessage(noise(50, 3), true), { 'grpc-encoding': 'lz77' }],
    ['a malformed deadline', Code.InvalidArgument, message, { 'grpc-timeout': 'soon' }],
    ['one that is too large', Code.ResourceExhausted, grpcMessage(Buffer.alloc(5_000_000))],
    [
      'one that unpacks too large',
      Code.ResourceExhausted,
      grpcMessage(gzipSync(Buffer.alloc(8_000_000)), true),
      { 'grpc-encoding': 'gzip' },
    ],
  ];

  test.each(cases)('%s: status %i', async (_name, code, body, extra) => {
    const { url } = await port();
    expect(await grpcStatus(url, body, extra)).toBe(code);
  });
});

describe('caps', () => {
  test('connections above the cap are closed at once, and places are free again', async () => {
    const { port: boundPort, url, lines } = await port({ connectionsMax: 2 });
    const first = await rawPeer(boundPort);
    const second = await rawPeer(boundPort);
    const third = await rawPeer(boundPort);
    await new Promise((resolve) => third.once('close', resolve));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'port is full, connections refused' }));
    first.destroy();
    second.destroy();
    await vi.waitFor(async () => expect((await clientOf(url).say({ value: 'in' })).value).toBe('in'));
  });

  test('calls above the cap are refused UNAVAILABLE', async () => {
    const { url } = await port(
      { callsMax: 1 },
      {
        async *repeat(_request, context) {
          yield { value: 'open' };
          await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
        },
      },
    );
    const cancel = new AbortController();
    const answers = clientOf(url).repeat({}, { signal: cancel.signal })[Symbol.asyncIterator]();
    await answers.next();
    await expect(clientOf(url).say({})).rejects.toMatchObject({ code: Code.Unavailable });
    cancel.abort();
    await vi.waitFor(async () => expect((await clientOf(url).say({ value: 'in' })).value).toBe('in'));
  });

  test('a peer that pings too much loses its connection', async () => {
    const { port: boundPort, lines } = await port({ pingsPerTenSecondsMax: 5 });
    const socket = await rawPeer(boundPort);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(Buffer.concat([preface(), ...Array.from({ length: 10 }, () => frame(6, 0, 0, Buffer.alloc(8)))]));
    await closed;
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'connection closed, too many pings' }));
  });

  test('a peer that answers no ping loses its connection', async () => {
    const { port: boundPort } = await port({ keepaliveMs: 30, keepaliveTimeoutMs: 30 });
    const socket = await rawPeer(boundPort);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(preface());
    await closed;
  });

  test('a call whose request never comes ends by itself', async () => {
    const { port: boundPort, lines, server } = await port({ requestMsMax: 30 });
    const socket = await rawPeer(boundPort);
    socket.write(Buffer.concat([preface(), headers(1, '/test.v1.EchoService/Repeat')]));
    await vi.waitFor(() => {
      expect(lines).toContainEqual(expect.objectContaining({ code: 'DeadlineExceeded', msg: 'stream closed' }));
    });
    expect(server.openCalls).toBe(0);
    socket.destroy();
  });

  test.each([
    ['a stream', TALK],
    ['a large answer', SAY],
  ])('%s that has ended does not wait for ever for a peer that reads nothing', async (_name, path) => {
    const value = 'x'.repeat(200_000);
    const { url } = await port(
      { unreadMsMax: 30 },
      {
        async *talk() {
          yield { value };
        },
        say: () => ({ value }),
      },
    );
    const session = stack.use(connect(url), (s) => s.destroy());
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.end(grpcMessage(Buffer.alloc(0)));
    await vi.waitFor(() => expect([stream.closed, stream.rstCode]).toEqual([true, constants.NGHTTP2_CANCEL]));
  });

  test('a stream whose peer reads nothing while more waits ends with SLOW_CONSUMER', async () => {
    const reasons: unknown[] = [];
    const { url, lines } = await port(
      { stallMsMax: 30, unreadMsMax: 30, responseBytesBufferedMax: 1_000 },
      {
        async *talk(_requests, context) {
          context.signal.addEventListener('abort', () =>
            reasons.push(reasonOf(ConnectError.from(context.signal.reason))),
          );
          for (;;) yield { value: 'x'.repeat(100_000) };
        },
      },
    );
    const session = stack.use(connect(url), (s) => s.destroy());
    const stream = session.request({ ':method': 'POST', ':path': TALK, 'content-type': 'application/grpc' });
    stream.write(grpcMessage(Buffer.alloc(0)));
    await vi.waitFor(() => expect([stream.closed, stream.rstCode]).toEqual([true, constants.NGHTTP2_CANCEL]));
    expect(reasons).toEqual(['SLOW_CONSUMER']);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'stream closed', reason: 'SLOW_CONSUMER' }));
  });

  test('an unknown method is UNIMPLEMENTED', async () => {
    const started = await port();
    const transport = stack.use(createGrpcTransport({ urls: [started.url] }), (t) => t.close());
    const stranger = { ...EchoService.method.say, name: 'Shout' };
    const call = transport.unary(stranger, undefined, undefined, undefined, {});
    await expect(call).rejects.toSatisfy((error) => ConnectError.from(error).code === Code.Unimplemented);
  });
});
