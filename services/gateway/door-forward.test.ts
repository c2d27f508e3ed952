import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { describe, expect, test, vi } from 'vitest';
import { CommandService, GetCommandResponseSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { StatusError } from '../platform/errors.ts';
import { callerOf } from '../platform/grpc/caller.ts';
import { reasonMetadataOf, reasonOf, retryAfterMsOf, violationsOf } from '../platform/grpc/status.ts';
import { Stack } from '../platform/lifecycle.ts';
import { openTestDoor, startFakeCommand, type WireProtocol } from './test-door.ts';

const WIRES: readonly (readonly [WireProtocol, '1.1' | '2'])[] = [
  ['connect', '1.1'],
  ['connect', '2'],
  ['grpc', '2'],
  ['grpc-web', '1.1'],
  ['grpc-web', '2'],
];

/** More than one connection carries in the test of that. */
const WATCHES = 60;

const away = (): ConnectError => new ConnectError('draining', Code.Unavailable);

/** The error that a call ends with. */
async function failure(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (thrown) {
    return ConnectError.from(thrown);
  }
  throw new Error('the call succeeded');
}

describe.each(WIRES)('%s over HTTP/%s', (protocol, httpVersion) => {
  test('a unary call, a watch and an error go through', async () => {
    await using door = await openTestDoor({
      command: {
        getCommand: ({ id }) => ({ command: { id, executorName: 'vps-1' } }),
        async *watchCommands() {
          for (const cursor of ['1', '2', '3']) yield await Promise.resolve({ cursor });
        },
        cancelCommand: () => {
          throw new StatusError('FailedPrecondition', 'STATE_ILLEGAL', 'it is finished', {
            metadata: { state: 'SUCCEEDED' },
            violations: [{ field: 'id', description: 'names a finished command' }],
            retryAfterMs: 1_500,
          });
        },
      },
    });
    const client = door.client(CommandService, door.issue('operator'), protocol, httpVersion);
    expect((await client.getCommand({ id: 'c1' })).command?.executorName).toBe('vps-1');
    const cursors: string[] = [];
    for await (const { cursor } of client.watchCommands({})) cursors.push(cursor);
    expect(cursors).toEqual(['1', '2', '3']);
    const error = await failure(client.cancelCommand({ id: 'c1' }));
    expect([error.code, error.rawMessage]).toEqual([Code.FailedPrecondition, 'it is finished']);
    expect([reasonOf(error), reasonMetadataOf(error), retryAfterMsOf(error)]).toEqual([
      'STATE_ILLEGAL',
      { state: 'SUCCEEDED' },
      1_500,
    ]);
    expect(violationsOf(error)).toEqual([{ field: 'id', description: 'names a finished command' }]);
  });

  test('a cancelled watch ends at the service, too', async () => {
    const ended = Promise.withResolvers<void>();
    await using door = await openTestDoor({
      command: {
        async *watchCommands(_request, context) {
          yield { cursor: '1' };
          await new Promise<void>((resolve) =>
            context.signal.addEventListener('abort', () => resolve(), { once: true }),
          );
          ended.resolve();
        },
      },
    });
    const client = door.client(CommandService, door.issue('viewer'), protocol, httpVersion);
    const cancel = new AbortController();
    const watch = client.watchCommands({}, { signal: cancel.signal })[Symbol.asyncIterator]();
    expect((await watch.next()).value?.cursor).toBe('1');
    cancel.abort();
    await ended.promise;
    await expect(watch.next()).rejects.toThrow();
  });

  test('a watch ends when its token is revoked, at the service too, and says why', async () => {
    const ended = Promise.withResolvers<void>();
    await using door = await openTestDoor({
      command: {
        async *watchCommands(_request, context) {
          yield { cursor: '1' };
          await new Promise<void>((resolve) =>
            context.signal.addEventListener('abort', () => resolve(), { once: true }),
          );
          ended.resolve();
        },
      },
    });
    const bearer = door.issue('viewer');
    const watch = door.client(CommandService, bearer, protocol, httpVersion).watchCommands({})[Symbol.asyncIterator]();
    expect((await watch.next()).value?.cursor).toBe('1');
    door.revoke(bearer);
    const error = await failure(watch.next());
    expect(error.code).toBe(Code.Unauthenticated);
    expect(reasonOf(error)).toBe('CREDENTIAL_REVOKED');
    await ended.promise;
  });

  test('the deadline of the caller reaches the service, and ends the call', async () => {
    const seen: (number | undefined)[] = [];
    await using door = await openTestDoor({
      command: {
        getCommand: (_request, context) => {
          seen.push(context.timeoutMs());
          return new Promise(() => {});
        },
      },
    });
    const client = door.client(CommandService, door.issue('viewer'), protocol, httpVersion);
    const error = await failure(client.getCommand({ id: 'c1' }, { timeoutMs: 300 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toBeGreaterThan(0);
    expect(seen[0]).toBeLessThanOrEqual(300);
  });
});

describe('a forwarded call', () => {
  test('carries who calls and the request id, which comes back', async () => {
    const seen: { caller: unknown; requestId: string | null; token: string | null }[] = [];
    const getCommand = (_request: unknown, context: HandlerContext) => {
      const { requestHeader } = context;
      seen.push({
        caller: callerOf(context),
        requestId: requestHeader.get('x-request-id'),
        token: requestHeader.get('authorization'),
      });
      return create(GetCommandResponseSchema);
    };
    await using door = await openTestDoor({ command: { getCommand } });
    const client = door.client(CommandService, door.issue('operator', 'desk-2', 'ci'));
    const answered: Headers[] = [];
    const onHeader = (header: Headers): void => void answered.push(header);
    await client.getCommand({}, { headers: { 'x-request-id': 'mine-1' }, onHeader });
    await client.getCommand({}, { headers: { 'x-request-id': 'not printable \u00e9' }, onHeader });
    const caller = { accountId: 'desk-2', role: 'operator', subject: 'ci' };
    expect(seen[0]).toEqual({ caller, requestId: 'mine-1', token: null });
    expect(answered[0]?.get('x-request-id')).toBe('mine-1');
    expect(seen[1]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(answered[1]?.get('x-request-id')).toBe(seen[1]?.requestId);
    await vi.waitFor(() => {
      expect(door.logs.filter((line) => line['msg'] === 'rpc')).toHaveLength(2);
    });
    expect(door.logs.find((line) => line['requestId'] === 'mine-1')).toMatchObject({
      rpc: 'strategos.command.v1.CommandService/GetCommand',
      code: 'OK',
      account: 'desk-2',
      subject: 'ci',
    });
  });

  test('gets the default deadline, and never more than the greatest', async () => {
    const seen: (number | undefined)[] = [];
    await using door = await openTestDoor({
      limits: { unaryDefaultMs: 20_000, unaryMaxMs: 40_000 },
      command: {
        getCommand: (_request, context) => {
          seen.push(context.timeoutMs());
          return {};
        },
      },
    });
    const client = door.client(CommandService, door.issue('viewer'));
    await client.getCommand({});
    await client.getCommand({}, { timeoutMs: 2_147_000_000 });
    expect(seen[0]).toBeGreaterThan(15_000);
    expect(seen[0]).toBeLessThanOrEqual(20_000);
    expect(seen[1]).toBeGreaterThan(35_000);
    expect(seen[1]).toBeLessThanOrEqual(40_000);
  });

  test('a service that is not there is UNAVAILABLE with a sentence and without its address', async () => {
    await using door = await openTestDoor({ commandUrls: ['http://127.0.0.1:1'], linkUrls: ['http://127.0.0.1:1'] });
    const client = door.client(CommandService, door.issue('operator'));
    const error = await failure(client.issueCommand({ executor: 'a' }));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toBe(
      'the command service cannot be reached right now; nothing was sent, try again in a moment',
    );
    expect([reasonOf(error), reasonMetadataOf(error)]).toEqual(['UNAVAILABLE', { dependency: 'command' }]);
    await vi.waitFor(() => {
      expect(String(door.logs.find((line) => line['msg'] === 'rpc')?.['cause'])).toContain(
        'cannot reach http://127.0.0.1:1',
      );
    });
  });

  test('UNAVAILABLE is repeated once for idempotent methods, and never for others', async () => {
    const calls = { getCommand: 0, issueCommand: 0, watchCommands: 0 };
    await using door = await openTestDoor({
      command: {
        getCommand: () => {
          if (++calls.getCommand === 1) throw away();
          return { command: { id: 'found' } };
        },
        issueCommand: () => {
          calls.issueCommand++;
          throw away();
        },
        async *watchCommands() {
          if (++calls.watchCommands === 1) throw away();
          yield await Promise.resolve({ cursor: '9' });
        },
      },
    });
    const client = door.client(CommandService, door.issue('operator'));
    expect((await client.getCommand({})).command?.id).toBe('found');
    expect((await failure(client.issueCommand({}))).code).toBe(Code.Unavailable);
    const [first] = await Array.fromAsync(client.watchCommands({}));
    expect(first?.cursor).toBe('9');
    expect(calls).toEqual({ getCommand: 2, issueCommand: 1, watchCommands: 2 });
  });

  test('the next replica takes over where one cannot be reached', async () => {
    await using stack = new Stack();
    const alive = await startFakeCommand({ command: { issueCommand: () => ({ alreadyIssued: true }) } }, stack);
    await using door = await openTestDoor({ commandUrls: ['http://127.0.0.1:1', alive] });
    const client = door.client(CommandService, door.issue('operator'));
    for (let call = 0; call < 4; call++) expect((await client.issueCommand({})).alreadyIssued).toBe(true);
  });

  test('a refused internal token is our own fault and no word about the caller', async () => {
    await using door = await openTestDoor({ env: { STRATEGOS_INTERNAL_TOKEN: 'another' } });
    const error = await failure(door.client(CommandService, door.issue('viewer')).getCommand({}));
    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).toMatch(/^internal error/);
    expect(door.logText()).toContain('refuses the internal token');
  });
});

test('stopping ends watches with UNAVAILABLE, lets calls finish, and takes no more', async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using door = await openTestDoor({
    command: {
      async *watchCommands(_request, context) {
        yield { cursor: '1' };
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve(), { once: true }));
      },
      async getCommand() {
        entered.resolve();
        await release.promise;
        return { command: { id: 'finished' } };
      },
    },
  });
  const client = door.client(CommandService, door.issue('viewer'));
  const watch = client.watchCommands({})[Symbol.asyncIterator]();
  await watch.next();
  const call = client.getCommand({});
  await entered.promise;
  const stopped = door.stop();
  const ended = await failure(watch.next());
  expect(ended.code).toBe(Code.Unavailable);
  expect(ended.rawMessage).toContain('resume from the last cursor');
  release.resolve();
  expect((await call).command?.id).toBe('finished');
  await stopped;
  await expect(fetch(`${door.url}/healthz`)).rejects.toThrow();
});

test('watches that stay open hold up neither calls nor each other', async () => {
  await using door = await openTestDoor({
    callsPerConnection: 10,
    limits: { watchesMax: WATCHES },
    command: {
      getCommand: ({ id }) => ({ command: { id } }),
      async *watchCommands(_request, { signal }) {
        yield { cursor: 'open' };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    },
  });
  const client = door.client(CommandService, door.issue('viewer'), 'grpc');
  const leave = new AbortController();
  const opened = await Promise.all(
    Array.from({ length: WATCHES }, async () => {
      const watch = client.watchCommands({}, { signal: leave.signal })[Symbol.asyncIterator]();
      return (await watch.next()).value?.cursor;
    }),
  );
  expect(opened.filter((cursor) => cursor === 'open')).toHaveLength(WATCHES);
  expect((await client.getCommand({ id: 'c1' })).command?.id).toBe('c1');
  leave.abort();
});
