import { createClient } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { Stack } from '../lifecycle.ts';
import { keepingLogger } from './echo-fixture.ts';
import { healthService } from './health.ts';
import { createGrpcServer } from './server.ts';
import { grpcServerLimits } from './server-limits.ts';
import { createGrpcTransport } from './transport.ts';

test('health is what the check says now, and a check that throws is a no', async () => {
  await using stack = new Stack();
  const { logger, lines } = keepingLogger();
  let state: 'up' | 'down' | 'broken' = 'up';
  const server = stack.add(createGrpcServer({ host: '127.0.0.1', port: 0, logger, limits: grpcServerLimits() }));
  server.register(
    Health,
    healthService(async () => {
      if (state === 'broken') throw new Error('cannot tell');
      return state === 'up';
    }, logger),
  );
  const url = `http://127.0.0.1:${await server.start()}`;
  const client = createClient(
    Health,
    stack.use(createGrpcTransport({ urls: [url] }), (t) => t.close()),
  );
  expect((await client.check({})).status).toBe(ServingStatus.SERVING);
  state = 'down';
  expect((await client.check({})).status).toBe(ServingStatus.NOT_SERVING);
  state = 'broken';
  expect((await client.check({})).status).toBe(ServingStatus.NOT_SERVING);
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'health check failed', reason: 'cannot tell' }));

  const leave = new AbortController();
  const watched = client.watch({}, { signal: leave.signal })[Symbol.asyncIterator]();
  expect((await watched.next()).value?.status).toBe(ServingStatus.NOT_SERVING);
  state = 'up';
  expect((await watched.next()).value?.status).toBe(ServingStatus.SERVING);
  leave.abort();
  await expect(watched.next()).rejects.toThrow();
});
