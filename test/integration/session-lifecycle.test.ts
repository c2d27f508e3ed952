import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../proto/gen/google/rpc/error_details_pb.js';
import { InstanceStatus } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { ActivationState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { online } from '../fault/observe.ts';
import { pumpStrategy, SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  await world.agent('vps-1', { region: 'eu' });
  world.neighbours.strategy(pumpStrategy('pump'), 7);
  world.neighbours.strategy(pumpStrategy('other'), 8);
  world.neighbours.strategy(pumpStrategy('gone'), 9, true);
});

afterAll(() => world[Symbol.asyncDispose]());

async function refusal(
  call: Promise<unknown>,
): Promise<{ code: string; reason: string; metadata: Record<string, string>; message: string }> {
  try {
    await call;
  } catch (thrown) {
    if (!(thrown instanceof ConnectError)) throw thrown;
    const [info] = thrown.findDetails(ErrorInfoSchema);
    return {
      code: Code[thrown.code],
      reason: info?.reason ?? '',
      metadata: info?.metadata ?? {},
      message: thrown.rawMessage,
    };
  }
  throw new Error('not refused');
}

async function openSessions(): Promise<number> {
  return (await world.client.listSessions({})).sessions.length;
}

describe('a start', () => {
  test('is ACTIVE when the evaluator has applied the revision and the executor has confirmed', async () => {
    const session = await world.paper('vps-1', 'pump');
    expect(session).toMatchObject({ state: SessionState.ACTIVE, executorName: 'vps-1', equity: '10000' });
    expect(session.activations).toMatchObject([
      { state: ActivationState.ACTIVE, revision: 7n, symbol: SYMBOL, missing: [] },
    ]);
    expect((await world.instance(session)).runningRevision).toBe(7n);
    const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
    const own = commands.filter(
      ({ kind }) => kind.value !== undefined && 'sessionId' in kind.value && kind.value.sessionId === session.id,
    );
    expect(new Set(own.map(({ kind }) => kind.case))).toEqual(new Set(['startSession', 'startStrategy']));
    expect(own).toHaveLength(2);
    await world.client.stopSession({ id: session.id });
  });

  test('by labels takes a connected executor that carries them all', async () => {
    const session = await world.paper('', 'pump', { executorLabels: { region: 'eu' } });
    expect(session.executorName).toBe('vps-1');
    await world.client.stopSession({ id: session.id });
    const refused = await refusal(world.paper('', 'pump', { executorLabels: { region: 'us' } }));
    expect(refused).toMatchObject({ code: 'FailedPrecondition', reason: 'EXECUTOR_UNAVAILABLE' });
  });

  test('without strategies, without a symbol or without money is refused, and no symbol is assumed', async () => {
    const before = await openSessions();
    for (const rest of [{ strategies: [] }, { strategies: [{ strategy: 'pump' }] }, { initialBalance: '' }]) {
      expect(await refusal(world.paper('vps-1', 'pump', rest))).toMatchObject({
        code: 'InvalidArgument',
        reason: 'INVALID_FIELD',
      });
    }
    expect(await openSessions()).toBe(before);
  });

  test('of an unknown or deleted strategy fails with a reason and starts nothing', async () => {
    const before = await openSessions();
    const strategies = ['pump', 'nobody', 'gone'].map((strategy) => ({ strategy, symbols: [SYMBOL] }));
    const refused = await refusal(world.paper('vps-1', 'pump', { strategies }));
    expect(refused).toMatchObject({
      code: 'FailedPrecondition',
      reason: 'STRATEGY_UNUSABLE',
      metadata: { strategy: 'nobody,gone' },
    });
    expect(refused.message).toContain('no strategy "nobody"');
    expect(await openSessions()).toBe(before);
  });

  test('is all or nothing: what one strategy lacks is said, and everything is taken back', async () => {
    const bad = world.neighbours.strategy(pumpStrategy('bad'));
    world.neighbours.faults.set(bad, 'indicator nonsense_5 is not known');
    const strategies = ['pump', 'bad'].map((strategy) => ({ strategy, symbols: [SYMBOL] }));
    const refused = await refusal(world.paper('vps-1', 'pump', { strategies }));
    expect(refused).toMatchObject({ code: 'FailedPrecondition', reason: 'ACTIVATION_FAILED' });
    expect(refused.metadata[`bad on ${SYMBOL}`]).toContain('indicator nonsense_5 is not known');
    const session = await world.session(refused.metadata['session_id'] ?? '');
    expect(session.state).toBe(SessionState.FAILED);
    expect(session.activations.map(({ state }) => state)).toEqual([ActivationState.FAILED, ActivationState.FAILED]);
    await until(
      () =>
        session.activations.every(
          ({ instanceId }) => world.neighbours.instances.get(instanceId)?.status === InstanceStatus.INACTIVE,
        ),
      'every instance has ended',
    );
    await until(async () => !(await agentSessions()).includes(session.id), 'the executor has let go of the session');
  });

  test('with allow_partial goes on with what can be activated', async () => {
    const strategies = ['pump', 'bad'].map((strategy) => ({ strategy, symbols: [SYMBOL] }));
    const session = await world.paper('vps-1', 'pump', { strategies, allowPartial: true });
    expect(session.state).toBe(SessionState.ACTIVE);
    const states = Object.fromEntries(session.activations.map(({ strategyName, state }) => [strategyName, state]));
    expect(states).toEqual({ pump: ActivationState.ACTIVE, bad: ActivationState.FAILED });
    await world.client.stopSession({ id: session.id });
  });

  test('that an evaluator never answers fails when its time is over, and says what was missing', async () => {
    const stuck = world.neighbours.strategy(pumpStrategy('stuck'));
    world.neighbours.stuck.add(stuck);
    const refused = await refusal(world.paper('vps-1', 'stuck', { wait: { seconds: 1n } }));
    expect(refused.reason).toBe('ACTIVATION_FAILED');
    expect(refused.metadata[`stuck on ${SYMBOL}`]).toBe('no evaluator has applied revision 1 yet');
  });

  test('whose executor is away fails and says so', async () => {
    await world.stack.createExecutor('never-there');
    const refused = await refusal(world.paper('never-there', 'pump', { wait: { seconds: 1n } }));
    expect(refused.metadata[`pump on ${SYMBOL}`]).toContain('executor never-there has not confirmed the session yet');
  });

  test('is repeated by a call that names the same labels in another order, and by one after its end', async () => {
    await online(world.stack, await world.agent('vps-3', { zone: 'a', tier: 'x' }));
    const start = (executorLabels: Record<string, string>) =>
      world.paper('', 'pump', { executorLabels, requestId: 'labels-once' });
    const { id } = await start({ zone: 'a', tier: 'x' });
    expect((await start({ tier: 'x', zone: 'a' })).id).toBe(id);
    await world.client.stopSession({ id });
    expect(await start({ zone: 'a', tier: 'x' })).toMatchObject({ id, state: SessionState.STOPPED });
  });

  test('with the same request id is one session; with another body it is refused', async () => {
    const requestId = 'start-once';
    const calls = Array.from({ length: 5 }, () => world.paper('vps-1', 'pump', { requestId }));
    const ids = new Set((await Promise.all(calls)).map(({ id }) => id));
    expect(ids.size).toBe(1);
    const other = await refusal(world.paper('vps-1', 'other', { requestId }));
    expect(other).toMatchObject({ code: 'AlreadyExists', reason: 'REQUEST_ID_REUSED' });
    await world.client.stopSession({ id: [...ids][0] ?? '' });
  });
});

describe('a running session', () => {
  test('is paused, resumed and stopped, and its executor with it', async () => {
    const { id } = await world.paper('vps-1', 'pump');
    expect((await world.client.pauseSession({ id })).session?.state).toBe(SessionState.PAUSED);
    const session = await world.session(id);
    const instance = await world.instance(session);
    await until(() => world.neighbours.instances.get(instance.id)?.paused, 'the instance is paused');
    await until(
      async () => (await agentStatus()).sessions.find((each) => each.sessionId === id)?.paused,
      'paused there',
    );
    expect((await world.client.resumeSession({ id })).session?.state).toBe(SessionState.ACTIVE);
    await until(() => world.neighbours.instances.get(instance.id)?.paused === false, 'the instance goes on');
    expect((await world.client.stopSession({ id })).session?.state).toBe(SessionState.STOPPED);
    expect(await agentSessions()).not.toContain(id);
    expect(await refusal(world.client.pauseSession({ id }))).toMatchObject({ reason: 'STATE_ILLEGAL' });
    expect((await world.client.stopSession({ id })).session?.state).toBe(SessionState.STOPPED);
  });

  test('takes a strategy once a request id, and not again when it was let go of since', async () => {
    const { id } = await world.paper('vps-1', 'pump');
    const selection = { strategy: 'other', symbols: ['eth_usdt'] };
    const request = { id, selection, requestId: 'activate-once' };
    const answers = await Promise.all([1, 2, 3].map(() => world.client.activateStrategy(request)));
    const others = async () =>
      (await world.session(id)).activations.filter(({ strategyName }) => strategyName === 'other');
    expect(new Set(answers.map(({ session }) => session?.activations.length))).toEqual(new Set([2]));
    expect(await others()).toMatchObject([{ state: ActivationState.ACTIVE }]);
    const reused = { ...request, selection: { ...selection, symbols: ['btc_usdt'] } };
    expect(await refusal(world.client.activateStrategy(reused))).toMatchObject({
      code: 'AlreadyExists',
      reason: 'REQUEST_ID_REUSED',
      metadata: { session_id: id },
    });
    await world.client.deactivateStrategy({ id, strategy: 'other' });
    await until(async () => (await others())[0]?.state === ActivationState.INACTIVE, 'the strategy is let go of');
    // The answer was lost, somebody has let go of it, and the repeat neither fails nor activates it again.
    await world.client.activateStrategy(request);
    expect(await others()).toMatchObject([{ state: ActivationState.INACTIVE }]);
    await world.client.stopSession({ id });
    expect((await world.client.activateStrategy(request)).session?.state).toBe(SessionState.STOPPED);
  });

  test('answers a repeated activation that has failed as it did at first', async () => {
    const { id } = await world.paper('vps-1', 'pump');
    const request = { id, selection: { strategy: 'bad', symbols: [SYMBOL] }, requestId: 'activate-badly' };
    const first = await refusal(world.client.activateStrategy(request));
    const count = (await world.session(id)).activations.length;
    expect(await refusal(world.client.activateStrategy(request))).toEqual(first);
    expect((await world.session(id)).activations).toHaveLength(count);
    await world.client.stopSession({ id });
  });

  test('takes further strategies, and lets go of them', async () => {
    const { id } = await world.paper('vps-1', 'pump');
    const selection = { strategy: 'other', symbols: ['eth_usdt'] };
    const added = (await world.client.activateStrategy({ id, selection })).session;
    const of = (name: string) => added?.activations.find(({ strategyName }) => strategyName === name);
    expect(of('other')).toMatchObject({ state: ActivationState.ACTIVE, symbol: 'ETH_USDT', revision: 8n });
    const bad = await refusal(world.client.activateStrategy({ id, selection: { strategy: 'bad', symbols: [SYMBOL] } }));
    expect(bad).toMatchObject({ reason: 'ACTIVATION_FAILED', metadata: { session_state: 'ACTIVE' } });
    const { uses } = await world.client.listStrategyUses({ strategyId: of('other')?.strategyId ?? '' });
    expect(uses).toMatchObject([{ sessionId: id, symbols: ['ETH_USDT'] }]);
    await world.client.deactivateStrategy({ id, strategy: 'other' });
    await until(async () => {
      const now = (await world.session(id)).activations.find(({ strategyName }) => strategyName === 'other');
      return now?.state === ActivationState.INACTIVE;
    }, 'the strategy is let go of');
    expect((await world.client.listStrategyUses({ strategyId: of('other')?.strategyId ?? '' })).uses).toEqual([]);
    await world.client.stopSession({ id });
  });

  test('is watched from its beginning or from a cursor, each change once and in order', async () => {
    const { id } = await world.paper('vps-1', 'pump');
    const first = world.client.watchSession({ id })[Symbol.asyncIterator]();
    let cursor = '';
    for (let seen = 0; seen < 1; ) {
      const { value } = await first.next();
      cursor = value.cursor;
      if (value.change.case === 'session') seen += 1;
    }
    await first.return?.(undefined);
    const later = world.client.watchSession({ id, cursor });
    await world.client.stopSession({ id });
    const states: SessionState[] = [];
    for await (const { change } of later) {
      if (change.case !== 'session') continue;
      states.push(change.value.state);
      if (change.value.state === SessionState.STOPPED) break;
    }
    expect(states.at(-1)).toBe(SessionState.STOPPED);
    expect(await refusal(watchOnce({ id, cursor: 'rubbish' }))).toMatchObject({ reason: 'CURSOR_INVALID' });
  });
});

async function watchOnce(request: { id: string; cursor: string }): Promise<void> {
  for await (const _ of world.client.watchSession(request)) return;
}

async function agentStatus() {
  const commands = world.stack.replicaCommandClient(0);
  const { command } = await commands.issueCommand({ executor: 'vps-1', kind: { case: 'getStatus', value: {} } });
  return until(
    async () => (await commands.getCommand({ id: command?.id ?? '' })).command?.result?.status,
    'the status of vps-1',
  );
}

async function agentSessions(): Promise<string[]> {
  return (await agentStatus()).sessions.map(({ sessionId }) => sessionId);
}
