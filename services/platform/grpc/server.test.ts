import { Code, createClient, createContextKey, createContextValues } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StatusError } from '../errors.ts';
import { Stack } from '../lifecycle.ts';
import { collect, EchoService, echo, echoPair, failureOf, keepingLogger, startEcho, values } from './echo-fixture.ts';
import { createGrpcServer } from './server.ts';
import { grpcServerLimits } from './server-limits.ts';
import { reasonMetadataOf, reasonOf, retryAfterMsOf, violationsOf } from './status.ts';
import { createGrpcTransport } from './transport.ts';

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.stop());

describe('all kinds of methods', () => {
  test('give what their handlers give', async () => {
    const { client } = await echoPair(stack);
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
    const { client } = await echoPair(stack, {
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
    const { client, lines } = await echoPair(stack, {
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
    const { client } = await echoPair(stack, {
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
    const { client, lines } = await echoPair(stack, {
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
    const { client } = await echoPair(stack, {
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
      stack,
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

describe('sizes', () => {
  test('a request above the limit is RESOURCE_EXHAUSTED with its reason, on unary calls and streams', async () => {
    const { client } = await echoPair(stack, {}, { receiveBytesMax: 1_000 });
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
    const { client } = await echoPair(stack, { say: () => ({ value: 'x'.repeat(2_000) }) }, { sendBytesMax: 1_000 });
    expect(reasonOf(await failureOf(client.say({})))).toBe('MESSAGE_TOO_LARGE');
  });
});

test('a port that is taken is named', async () => {
  const { port } = await echoPair(stack);
  await expect(startEcho({}, {}, { port })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: the port is taken by another process`,
  );
});
