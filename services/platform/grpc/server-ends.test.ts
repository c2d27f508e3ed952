import { create } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Stack } from '../lifecycle.ts';
import { collect, echoPair, failureOf } from './echo-fixture.ts';
import { reasonOf } from './status.ts';

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.stop());

describe('ends', () => {
  test("the port's own deadline reaches handler and caller", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { client } = await echoPair(
      stack,
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
    const { client } = await echoPair(stack, {
      say(request, context) {
        if (request.value === 'connect') return request;
        context.signal.addEventListener('abort', () => aborted.resolve());
        return new Promise(() => request);
      },
    });
    // A deadline that is over before there is a connection reaches nobody.
    await client.say({ value: 'connect' });
    const error = await failureOf(client.say({}, { timeoutMs: 200 }));
    expect([error.code, reasonOf(error)]).toEqual([Code.DeadlineExceeded, 'DEADLINE_EXCEEDED']);
    await aborted.promise;
  });

  test('deadlines that overflow timers are brought into reach, and unary calls have one in any case', async () => {
    const timeouts: (number | undefined)[] = [];
    const { client } = await echoPair(
      stack,
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
    const { client, lines } = await echoPair(stack, {
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
      stack,
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
    const { client, server } = await echoPair(stack, {
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
      stack,
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
      stack,
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
    const { client } = await echoPair(stack, {
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
