import { create } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, createContextKey, createContextValues } from '@connectrpc/connect';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StatusError } from '../errors.ts';
import { Stack } from '../lifecycle.ts';
import { type Echo, EchoService, echo, keepingLogger, startEcho } from './echo-fixture.ts';
import { createGrpcServer } from './server.ts';
import { grpcServerLimits } from './server-limits.ts';
import { reasonMetadataOf, reasonOf, retryAfterMsOf, violationsOf } from './status.ts';
import { createGrpcTransport, type GrpcTransportOptions } from './transport.ts';

let stack = new Stack();
afterEach(async () => {
  await stack.stop();
  stack = new Stack();
});

async function echoPair(
  implementation: Partial<Echo> = {},
  limits: Parameters<typeof startEcho>[1] = {},
  options: Parameters<typeof startEcho>[2] = {},
  transportOptions: Partial<GrpcTransportOptions> = {},
) {
  const started = await startEcho(implementation, limits, options);
  stack.add(started.server);
  const transport = stack.use(createGrpcTransport({ urls: [started.url], ...transportOptions }), (t) => t.close());
  return { ...started, transport, client: createClient(EchoService, transport) };
}

async function* values(...items: readonly string[]) {
  for (const value of items) yield { value };
}

async function collect(stream: AsyncIterable<{ readonly value: string }>): Promise<string[]> {
  const collected: string[] = [];
  for await (const { value } of stream) collected.push(value);
  return collected;
}

async function failureOf(work: Promise<unknown>): Promise<ConnectError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw new Error(`expected a ConnectError, got ${String(thrown)}`);
  return thrown;
}

describe('all kinds of methods', () => {
  test('give what their handlers give', async () => {
    const { client } = await echoPair();
    expect((await client.say({ value: 'one' })).value).toBe('one');
    expect(await collect(client.repeat({ value: 'r' }))).toEqual(['r0', 'r1', 'r2']);
    expect((await client.join(values('a', 'b', 'c'))).value).toBe('abc');
    expect(await collect(client.talk(values('x', 'y', 'z')))).toEqual(['x', 'y', 'z']);
  });

  test('a method that is not implemented answers UNIMPLEMENTED', async () => {
    const { logger } = keepingLogger();
    const server = stack.add(createGrpcServer({ host: '127.0.0.1', port: 0, logger, limits: grpcServerLimits() }));
    server.register(EchoService, { join: echo.join });
    const transport = createGrpcTransport({ urls: [`http://127.0.0.1:${await server.start()}`] });
    stack.use(transport, (t) => t.close());
    const client = createClient(EchoService, transport);
    expect((await client.join(values('a'))).value).toBe('a');
    expect((await failureOf(client.say({}))).code).toBe(Code.Unimplemented);
  });

  test('metadata goes both ways, binary included', async () => {
    const seen: (string | null)[] = [];
    const { client } = await echoPair({
      say(request, context) {
        seen.push(context.requestHeader.get('x-plain'), context.requestHeader.get('x-raw-bin'));
        context.responseHeader.set('x-answer', 'yes');
        context.responseTrailer.set('x-trailer-bin', 'AQID');
        return request;
      },
    });
    const got: (string | null)[] = [];
    await client.say(
      { value: '' },
      {
        headers: { 'x-plain': 'p', 'x-raw-bin': 'AAEC/w' },
        onHeader: (header) => got.push(header.get('x-answer')),
        onTrailer: (trailer) => got.push(trailer.get('x-trailer-bin')),
      },
    );
    expect(seen).toEqual(['p', 'AAEC/w']);
    expect(got).toEqual(['yes', 'AQID']);
  });
});

describe('errors', () => {
  test('carry code, reason, violations, retry delay and request id', async () => {
    const { client, lines } = await echoPair({
      say() {
        throw new StatusError('ResourceExhausted', 'QUEUE_FULL', 'the queue of vps-1 is full \ud800 – é', {
          metadata: { executor: 'vps-1' },
          violations: [{ field: 'a.b', description: 'too much' }],
          retryAfterMs: 1_500,
        });
      },
    });
    const error = await failureOf(client.say({}, { headers: { 'x-request-id': 'req-7' } }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toBe('the queue of vps-1 is full \ufffd – é');
    expect(reasonOf(error)).toBe('QUEUE_FULL');
    expect(reasonMetadataOf(error)).toEqual({ executor: 'vps-1' });
    expect(violationsOf(error)).toEqual([{ field: 'a.b', description: 'too much' }]);
    expect(retryAfterMsOf(error)).toBe(1_500);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', code: 'ResourceExhausted', reason: 'QUEUE_FULL', requestId: 'req-7' }),
    );
  });

  test('of a stream arrive after what was sent before them', async () => {
    const { client } = await echoPair({
      async *repeat() {
        yield { value: 'first' };
        throw new StatusError('OutOfRange', 'CURSOR_TOO_OLD', 'too old');
      },
    });
    const got: string[] = [];
    const error = await failureOf(
      (async () => {
        for await (const { value } of client.repeat({})) got.push(value);
      })(),
    );
    expect(got).toEqual(['first']);
    expect(reasonOf(error)).toBe('CURSOR_TOO_OLD');
  });

  test('that nobody named say "internal error" and the request id, and are logged with their cause', async () => {
    const { client, lines } = await echoPair({
      say() {
        throw new TypeError('password is hunter2');
      },
    });
    const error = await failureOf(client.say({}, { headers: { 'x-request-id': 'req-8' } }));
    expect(error.rawMessage).toBe('internal error; quote request id req-8');
    expect(reasonOf(error)).toBe('INTERNAL');
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', requestId: 'req-8', msg: 'internal error' }),
    );
  });

  test('a header that no trailer can hold becomes INTERNAL and hurts nobody else', async () => {
    const { client } = await echoPair({
      say(request, context) {
        if (request.value === 'bad') context.responseTrailer.set('x-note', 'caf\u00e9');
        return request;
      },
    });
    expect((await failureOf(client.say({ value: 'bad' }))).code).toBe(Code.Internal);
    expect((await client.say({ value: 'good' })).value).toBe('good');
  });
});

describe('authentication', () => {
  const who = createContextKey('nobody');

  test('refuses before the handler runs, and gives handlers what it found', async () => {
    const handled: string[] = [];
    const { client } = await echoPair(
      {
        say(request, context) {
          handled.push(context.values.get(who));
          return request;
        },
      },
      {},
      {
        authenticate: async (headers) => {
          if (headers.get('authorization') !== 'let me in') {
            throw new StatusError('Unauthenticated', 'CREDENTIAL_INVALID', 'no');
          }
          return createContextValues().set(who, 'me');
        },
      },
    );
    const refused = await failureOf(client.say({}));
    expect([refused.code, reasonOf(refused)]).toEqual([Code.Unauthenticated, 'CREDENTIAL_INVALID']);
    expect((await failureOf(collect(client.talk(values('a'))))).code).toBe(Code.Unauthenticated);
    await client.say({}, { headers: { authorization: 'let me in' } });
    expect(handled).toEqual(['me']);
  });
});

describe('ends', () => {
  test("the port's own deadline reaches handler and caller", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { client } = await echoPair(
      {
        say(request, context) {
          expect(context.timeoutMs()).toBeLessThanOrEqual(50);
          context.signal.addEventListener('abort', () => aborted.resolve(context.signal.reason));
          return new Promise(() => request);
        },
      },
      { unaryMsMax: 50 },
    );
    const error = await failureOf(client.say({}));
    expect([error.code, reasonOf(error)]).toEqual([Code.DeadlineExceeded, 'DEADLINE_EXCEEDED']);
    expect(await aborted.promise).toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("the caller's deadline reaches the handler", async () => {
    const aborted = Promise.withResolvers<void>();
    const { client } = await echoPair({
      say(request, context) {
        context.signal.addEventListener('abort', () => aborted.resolve());
        return new Promise(() => request);
      },
    });
    const error = await failureOf(client.say({}, { timeoutMs: 50 }));
    expect([error.code, reasonOf(error)]).toEqual([Code.DeadlineExceeded, 'DEADLINE_EXCEEDED']);
    await aborted.promise;
  });

  test('deadlines that overflow timers are brought into reach, and unary calls have one in any case', async () => {
    const timeouts: (number | undefined)[] = [];
    const { client } = await echoPair(
      {
        say(request, context) {
          timeouts.push(context.timeoutMs());
          return request;
        },
        async *repeat(request, context) {
          timeouts.push(context.timeoutMs());
          yield request;
        },
      },
      { unaryMsMax: 60_000 },
    );
    await client.say({});
    await client.say({}, { timeoutMs: 4_000_000_000 });
    await collect(client.repeat({}, { timeoutMs: 400_000_000_000 }));
    await collect(client.repeat({}));
    expect(timeouts[0]).toBeGreaterThan(50_000);
    expect(timeouts[1]).toBeGreaterThan(50_000);
    expect(timeouts[1]).toBeLessThanOrEqual(60_000);
    expect(timeouts[2]).toBeGreaterThan(1_900_000_000);
    expect(timeouts[3]).toBeUndefined();
  });

  test('a cancelled stream aborts the signal, fails the requests and ends the generator', async () => {
    const ended = Promise.withResolvers<string>();
    const started = Promise.withResolvers<void>();
    const { client, lines } = await echoPair({
      async *talk(requests, context) {
        try {
          yield { value: 'hello' };
          started.resolve();
          for await (const request of requests) yield request;
          ended.resolve('requests ended as if the caller had finished');
        } catch (thrown) {
          ended.resolve(`${ConnectError.from(thrown).code === Code.Canceled} ${context.signal.aborted}`);
          throw thrown;
        }
      },
    });
    const cancel = new AbortController();
    const open = Promise.withResolvers<void>();
    const input = (async function* () {
      await open.promise;
      yield { value: 'never' };
    })();
    const answers = client.talk(input, { signal: cancel.signal })[Symbol.asyncIterator]();
    expect((await answers.next()).value?.value).toBe('hello');
    const next = answers.next();
    await started.promise;
    cancel.abort();
    expect((await failureOf(next)).code).toBe(Code.Canceled);
    expect(await ended.promise).toBe('true true');
    open.resolve();
    await vi.waitFor(() =>
      expect(lines).toContainEqual(expect.objectContaining({ msg: 'stream closed', code: 'Canceled', level: 'info' })),
    );
  });

  test('a generator that waits at a yield is returned when its caller goes', async () => {
    const returned = Promise.withResolvers<void>();
    const { client, server } = await echoPair(
      {
        async *repeat() {
          try {
            for (;;) yield { value: 'x'.repeat(100_000) };
          } finally {
            returned.resolve();
          }
        },
      },
      { responseBytesBufferedMax: 100_000 },
    );
    const cancel = new AbortController();
    const answers = client.repeat({}, { signal: cancel.signal })[Symbol.asyncIterator]();
    await answers.next();
    cancel.abort();
    await returned.promise;
    await vi.waitFor(() => expect(server.openCalls).toBe(0));
  });

  test('stop tells streams at once, lets unary calls finish, and resolves', async () => {
    const reached = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { client, server } = await echoPair({
      async say(request, context) {
        reached.resolve();
        await release.promise;
        expect(context.signal.aborted).toBe(false);
        return request;
      },
      async *repeat(_request, context) {
        yield { value: 'open' };
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
        yield { value: 'goodbye' };
      },
    });
    const answers = client.repeat({})[Symbol.asyncIterator]();
    await answers.next();
    const said = client.say({ value: 'late' });
    await reached.promise;
    const stopped = server.stop();
    expect((await answers.next()).value?.value).toBe('goodbye');
    release.resolve();
    expect((await said).value).toBe('late');
    await stopped;
    expect(server.openCalls).toBe(0);
  });

  test('stop cuts what does not end in time, with UNAVAILABLE', async () => {
    const { client, server } = await echoPair(
      {
        async *repeat() {
          yield { value: 'open' };
          await new Promise(() => undefined);
        },
      },
      { drainMs: 50 },
    );
    const answers = client.repeat({})[Symbol.asyncIterator]();
    await answers.next();
    const next = failureOf(answers.next());
    await server.stop();
    expect((await next).code).toBe(Code.Unavailable);
  });
});

describe('flow control', () => {
  test('a reader that pauses holds the handler back', async () => {
    let produced = 0;
    const { client } = await echoPair(
      {
        async *repeat() {
          for (; produced < 2_000; produced += 1) yield { value: 'x'.repeat(10_000) };
        },
      },
      { responseBytesBufferedMax: 50_000 },
    );
    const answers = client.repeat({})[Symbol.asyncIterator]();
    await answers.next();
    // What is in flight settles: the number stops growing far from the end.
    let before = -1;
    await vi.waitFor(
      () => {
        const same = before === produced;
        before = produced;
        expect(same).toBe(true);
      },
      { interval: 100 },
    );
    expect(produced).toBeLessThan(400);
    let rest = 1;
    while ((await answers.next()).done !== true) rest += 1;
    expect(rest).toBe(2_000);
  });

  test('a handler that pauses holds the sender back', async () => {
    const release = Promise.withResolvers<void>();
    const { client } = await echoPair({
      async join(requests) {
        await release.promise;
        let count = 0;
        for await (const { value } of requests) count += value.length / 10_000;
        return { value: String(count) };
      },
    });
    let sent = 0;
    const input = (async function* () {
      for (; sent < 2_000; sent += 1) yield create(StringValueSchema, { value: 'x'.repeat(10_000) });
    })();
    const joined = client.join(input);
    let before = -1;
    await vi.waitFor(
      () => {
        const same = sent > 0 && before === sent;
        before = sent;
        expect(same).toBe(true);
      },
      { interval: 100 },
    );
    expect(sent).toBeLessThan(400);
    release.resolve();
    expect((await joined).value).toBe('2000');
  });
});

describe('sizes', () => {
  test('a request above the limit is RESOURCE_EXHAUSTED with its reason, on unary calls and streams', async () => {
    const { client } = await echoPair({}, { receiveBytesMax: 1_000 });
    for (const call of [client.say({ value: 'x'.repeat(2_000) }), collect(client.talk(values('x'.repeat(2_000))))]) {
      const error = await failureOf(call);
      expect([error.code, reasonOf(error), reasonMetadataOf(error)]).toEqual([
        Code.ResourceExhausted,
        'MESSAGE_TOO_LARGE',
        { bytes_max: '1000' },
      ]);
    }
  });

  test('an answer above the limit too', async () => {
    const { client } = await echoPair({ say: () => ({ value: 'x'.repeat(2_000) }) }, { sendBytesMax: 1_000 });
    expect(reasonOf(await failureOf(client.say({})))).toBe('MESSAGE_TOO_LARGE');
  });
});

test('a port that is taken is named', async () => {
  const { port } = await echoPair();
  await expect(startEcho({}, {}, { port })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: the port is taken by another process`,
  );
});
