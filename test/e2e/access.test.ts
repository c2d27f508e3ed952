import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Credentials, ExecutorState } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { ended, getExecutor, offline, online } from '../fault/observe.ts';
import { Recorder } from '../fault/recorder.ts';
import { ping, stopSession } from '../fault/wishes.ts';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack[Symbol.asyncDispose]());

/** Code and reason with which a call failed, or "ok". */
async function outcome(call: Promise<unknown> | AsyncIterable<unknown>): Promise<string> {
  try {
    // A stream is as far as its first message.
    if (Symbol.asyncIterator in call) for await (const _ of call) break;
    else await call;
    return 'ok';
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return `${Code[error.code]} ${reasonOf(error) ?? ''}`;
  }
}

async function tokenOf(name: string, role: Role): Promise<string> {
  const { bearer } = await (await stack.accessClient()).createToken({ name, role });
  return bearer;
}

async function accountOf(accountId: string): Promise<string> {
  const { bearer } = await (await stack.accessClient()).createAccount({ accountId });
  return bearer;
}

/** Every RPC that names an executor or a command. */
async function callsAbout(token: string, executor: string, id: string) {
  const commands = await stack.commandClient(token);
  const executors = await stack.executorClient(token);
  return {
    issueCommand: () => commands.issueCommand({ executor, ...ping() }),
    getCommand: () => commands.getCommand({ id }),
    cancelCommand: () => commands.cancelCommand({ id }),
    retryCommand: () => commands.retryCommand({ id }),
    settleCommand: () => commands.settleCommand({ id, outcome: SettledOutcome.DID_NOT_HAPPEN, note: 'looked' }),
    explainCommand: () => commands.explainCommand({ id }),
    listCommands: () => commands.listCommands({ filter: { executor } }),
    watchCommands: () => commands.watchCommands({ filter: { executor }, fromStart: true }),
    getCommandStats: () => commands.getCommandStats({ executor }),
    listQuarantinedCommands: () => commands.listQuarantinedCommands({ executor }),
    getExecutor: () => executors.getExecutor({ executor }),
    watchExecutors: () => executors.watchExecutors({ executor }),
    rotateCredentials: () => executors.rotateCredentials({ executor }),
    disableExecutor: () => executors.disableExecutor({ executor }),
  } as const;
}

describe('accounts', () => {
  test("another account's executors and commands are not there, by name or by id, in any RPC", async () => {
    const stranger = await accountOf('stranger');
    const { executorId } = await stack.createExecutor('mine');
    const mine = await stack.commandClient();
    const { command } = await mine.issueCommand({ executor: 'mine', ...stopSession('s') });
    for (const executor of ['mine', executorId]) {
      for (const [name, call] of Object.entries(await callsAbout(stranger, executor, command?.id ?? ''))) {
        expect(`${name}: ${await outcome(call())}`).toBe(`${name}: NotFound RESOURCE_NOT_FOUND`);
      }
    }
    const theirs = await stack.commandClient(stranger);
    const { outcomes } = await theirs.issueCommands({ requests: [{ executor: executorId, ...ping() }] });
    expect(outcomes[0]?.outcome).toMatchObject({ case: 'error', value: { code: Code.NotFound } });
    expect((await theirs.listCommands({})).commands).toEqual([]);
    expect((await (await stack.executorClient(stranger)).listExecutors({})).executors).toEqual([]);
    expect((await theirs.getCommandStats({})).count).toBe(0n);
    // Nothing of all that has changed anything.
    expect((await mine.getCommand({ id: command?.id ?? '' })).command?.state).toBe(CommandState.PENDING);
    expect((await getExecutor(stack, 'mine')).state).toBe(ExecutorState.NEVER_CONNECTED);
  });

  test('executors of the same name in two accounts each get what is theirs and nothing else', async () => {
    const token = await accountOf('twin');
    const { credentials } = await (await stack.executorClient(token)).createExecutor({ name: 'twins' });
    if (credentials === undefined) throw new Error('no credentials');
    const ours = await startRecordingAgent(stack, { credentials: await stack.createExecutor('twins') });
    const theirs = await startRecordingAgent(stack, { credentials, name: 'their-twins', accountId: 'twin' });
    await using recorder = await Recorder.start(stack);
    await using other = await Recorder.start(stack, { account: { id: 'twin', token } });
    recorder.follow(ours);
    other.follow(theirs);
    await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        // The same request id in two accounts is two requests.
        const requestId = `shared-${n}`;
        await Promise.all([
          recorder.issue(ours, stopSession(`s${n % 3}`), { requestId }),
          other.issue(theirs, stopSession(`s${n % 3}`), { requestId }),
        ]);
      }),
    );
    await until(() => ours.acts('result').length === 30 && theirs.acts('result').length === 30, 'all are executed');
    await (await stack.commandClient()).cancelCommand({ id: await openCommandOf('mine') });
    expect(await recorder.verdict([other])).toBe('');
  });
});

/** A command that still waits for an executor of the founding account. */
async function openCommandOf(executor: string): Promise<string> {
  const { commands } = await (await stack.commandClient()).listCommands({ filter: { executor } });
  return commands[0]?.id ?? '';
}

describe('roles', () => {
  test('a viewer reads everything and does nothing; an operator commands and manages nothing', async () => {
    const { executorId } = await stack.createExecutor('roles');
    const client = await stack.commandClient();
    const { command } = await client.issueCommand({ executor: 'roles', ...stopSession('s') });
    const denied = 'PermissionDenied ROLE_INSUFFICIENT';
    const outcomes = async (token: string): Promise<Record<string, string>> => {
      const calls = await callsAbout(token, executorId, command?.id ?? '');
      const found: Record<string, string> = {};
      for (const [name, call] of Object.entries(calls)) found[name] = await outcome(call());
      return found;
    };
    const reads = {
      getCommand: 'ok',
      explainCommand: 'ok',
      listCommands: 'ok',
      watchCommands: 'ok',
      getCommandStats: 'ok',
      listQuarantinedCommands: 'ok',
      getExecutor: 'ok',
      watchExecutors: 'ok',
    };
    const managing = { rotateCredentials: denied, disableExecutor: denied };
    const viewer = await tokenOf('only-looks', Role.VIEWER);
    const forbidden = { issueCommand: denied, cancelCommand: denied, retryCommand: denied, settleCommand: denied };
    expect(await outcomes(viewer)).toEqual({ ...reads, ...forbidden, ...managing });
    expect(await outcome((await stack.commandClient(viewer)).issueCommands({ requests: [] }))).toBe(denied);
    expect(await outcome((await stack.executorClient(viewer)).createExecutor({ name: 'of-a-viewer' }))).toBe(denied);

    const operator = await tokenOf('operates', Role.OPERATOR);
    const commanding = {
      issueCommand: 'ok',
      cancelCommand: 'ok',
      retryCommand: 'ok',
      settleCommand: 'FailedPrecondition STATE_ILLEGAL',
    };
    expect(await outcomes(operator)).toEqual({ ...reads, ...commanding, ...managing });
    expect(await outcome((await stack.executorClient(operator)).createExecutor({ name: 'of-an-operator' }))).toBe(
      denied,
    );
    expect(await outcome((await stack.accessClient(operator)).createToken({ name: 'x', role: Role.ADMIN }))).toBe(
      denied,
    );
  });

  test('a revoked token is refused within a second', async () => {
    const bearer = await tokenOf('leaver', Role.OPERATOR);
    const client = await stack.commandClient(bearer);
    expect(await outcome(client.listCommands({}))).toBe('ok');
    await (await stack.accessClient()).revokeToken({ token: 'leaver' });
    await until(
      async () => (await outcome(client.listCommands({}))) === 'Unauthenticated CREDENTIAL_REVOKED',
      'refused',
      1_000,
    );
  });
});

async function rotate(executor: string, overlapMs: number): Promise<Credentials> {
  const overlap = durationFromMs(overlapMs);
  const { credentials } = await (await stack.executorClient()).rotateCredentials({ executor, overlap });
  if (credentials === undefined) throw new Error('no credentials');
  return credentials;
}

describe.concurrent('executor credentials', () => {
  test('old and new both open streams during the overlap, and when it is over the old stream ends', async () => {
    const old = await stack.createExecutor('overlap');
    const journal = `${stack.data.root}/overlap-journal`;
    const before = await startRecordingAgent(stack, { credentials: old, journal });
    const first = await online(stack, 'overlap');
    const fresh = await rotate('overlap', 12_000);
    expect(fresh.keyId).not.toBe(old.keyId);
    await before.restart();
    const second = await online(stack, 'overlap', { afterEpoch: first.streamEpoch });
    const over = await offline(stack, 'overlap');
    expect(over.streamEpoch).toBe(second.streamEpoch);
    expect(over.disconnectReason).toContain(old.keyId);
    const expireMs = over.credentials.find(({ keyId }) => keyId === old.keyId)?.expireTime;
    expect(Number(over.disconnectTime?.seconds) - Number(expireMs?.seconds)).toBeLessThanOrEqual(1);
    await before.stop();

    const after = await startRecordingAgent(stack, { credentials: fresh, journal, name: 'overlap-new' });
    await online(stack, 'overlap', { afterEpoch: second.streamEpoch });
    await after.stop();
    const refused = await startRecordingAgent(stack, { credentials: old, journal, name: 'overlap-old' });
    const says = await until(
      async () => (await refused.current.log.tail(50)).find((line) => line.includes('refuses')),
      'refusal',
    );
    expect(says).toContain('CREDENTIAL_REVOKED');
    expect((await getExecutor(stack, 'overlap')).state).toBe(ExecutorState.OFFLINE);
  });

  test('without an overlap the stream ends within a second, and commands wait for the new credential', async () => {
    const old = await stack.createExecutor('no-overlap');
    const before = await startRecordingAgent(stack, { credentials: old });
    await online(stack, 'no-overlap');
    const fresh = await rotate('no-overlap', 0);
    await offline(stack, 'no-overlap', 1_000);
    await before.stop();
    const client = await stack.commandClient();
    const { command } = await client.issueCommand({ executor: 'no-overlap', ...ping() });
    await startRecordingAgent(stack, { credentials: fresh, name: 'no-overlap-new' });
    expect((await ended(client, command?.id ?? '')).state).toBe(CommandState.SUCCEEDED);
  });

  test('a wrong secret and an unknown key are refused alike', async () => {
    const credentials = await stack.createExecutor('guessed');
    const guesses = [
      { ...credentials, secret: 'x'.repeat(43) },
      { ...credentials, keyId: `k${'0'.repeat(24)}` },
    ];
    for (const [n, guess] of guesses.entries()) {
      const agent = await startRecordingAgent(stack, { credentials: guess, name: `guess-${n}` });
      const says = await until(
        async () => (await agent.current.log.tail(50)).find((line) => line.includes('refuses')),
        'refusal',
      );
      expect(says).toContain('CREDENTIAL_INVALID');
    }
    expect((await getExecutor(stack, 'guessed')).state).toBe(ExecutorState.NEVER_CONNECTED);
  });
});
