import { createClient } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Health } from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { Secret } from '../config.ts';
import { Stack } from '../lifecycle.ts';
import { type Caller, callerOf, internalAuthenticator, internalHeaders } from './caller.ts';
import { EchoService, startEcho } from './echo-fixture.ts';
import { reasonOf } from './status.ts';
import { createGrpcTransport } from './transport.ts';

const token = new Secret('internal-token');
const admin: Caller = { accountId: 'main', role: 'admin', subject: 'Zoë at the desk' };

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.stop());

async function say(headers: Record<string, string>): Promise<Caller | undefined> {
  let seen: Caller | undefined;
  const { server, url } = await startEcho(
    {
      say(request, context) {
        seen = callerOf(context);
        return request;
      },
    },
    {},
    { authenticate: internalAuthenticator(token) },
  );
  stack.add(server);
  const transport = stack.use(createGrpcTransport({ urls: [url], headers: () => headers }), (t) => t.close());
  await createClient(EchoService, transport).say({});
  return seen;
}

describe('the internal authenticator', () => {
  test('believes the identity that comes with the right token', async () => {
    expect(await say(internalHeaders(token, admin, 'r-1'))).toEqual(admin);
  });

  test.each([
    ['no token', {}],
    ['a wrong token', internalHeaders(new Secret('guess'), admin, undefined)],
    ['no account', internalHeaders(token, undefined, undefined)],
    ['an unknown role', { ...internalHeaders(token, admin, undefined), 'strategos-role': 'root' }],
  ])('refuses %s as UNAUTHENTICATED', async (_name, headers) => {
    await expect(say(headers)).rejects.toSatisfy((error) => reasonOf(error) === 'CREDENTIAL_INVALID');
  });

  test('lets health checks through', async () => {
    const authenticate = internalAuthenticator(token);
    expect(await authenticate(new Headers(), Health.method.check)).toBeUndefined();
    await expect(authenticate(new Headers(), EchoService.method.say)).rejects.toThrow('call the gateway');
  });
});
