import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { openTestDoor } from '../../services/gateway/test-door.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

test('a watcher whose network swallows everything gives its place back', async () => {
  const ended = Promise.withResolvers<void>();
  await using door = await openTestDoor({
    limits: { pingMs: 100, pingAnswerMs: 200, watchesMax: 1 },
    command: {
      async *watchCommands(_request, { signal }) {
        yield { cursor: '1' };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        ended.resolve();
      },
    },
  });
  await using proxy = await TcpProxy.start(door.port);
  const bearer = door.issue('viewer');
  const headers = { authorization: `Bearer ${bearer}` };
  const client = createClient(CommandService, createGrpcTransport({ baseUrl: proxy.url }));
  const watch = client.watchCommands({}, { headers })[Symbol.asyncIterator]();
  expect((await watch.next()).value?.cursor).toBe('1');
  proxy.blackhole('up');
  await ended.promise;
  const leave = new AbortController();
  const watchers = door.client(CommandService, bearer);
  const direct = watchers.watchCommands({}, { signal: leave.signal })[Symbol.asyncIterator]();
  expect((await direct.next()).value?.cursor).toBe('1');
  leave.abort();
  expect(door.logText()).toContain('peer does not answer');
});
