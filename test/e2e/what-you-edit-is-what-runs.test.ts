import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { InstanceStatus } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { ActivationState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { strategyJson, TradingStack, when } from '../harness/trading.ts';
import { until } from '../harness/until.ts';

const NEVER = { s1_signal: when('pump_magnitude_pct', '>=', 1_000) };

let trading: TradingStack;

beforeAll(async () => {
  trading = await TradingStack.start({ trading: { evaluators: 2 } });
  await trading.quietMarket('AAA_USDT');
});
afterAll(() => trading[Symbol.asyncDispose]());

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (thrown) {
    return ConnectError.from(thrown);
  }
  throw new Error('the call was expected to fail');
}

/** Resolves when every evaluator that follows the account holds what is stored. */
async function everyCacheIsCurrent(): Promise<void> {
  await until(async () => {
    const { evaluators } = await trading.strategies.getRollout({});
    return evaluators.length > 0 && evaluators.every(({ current }) => current);
  }, 'every evaluator has applied what is stored');
}

describe('what you edit is what runs', () => {
  test('strategy created after start-up can be activated', async () => {
    const { id, revision } = await trading.create(strategyJson('after-start', NEVER));
    const session = await trading.startSession('after-start', 'AAA_USDT');
    expect(session.state).toBe(SessionState.ACTIVE);
    expect(session.activations).toHaveLength(1);
    expect(session.activations[0]).toMatchObject({
      strategyId: id,
      revision,
      state: ActivationState.ACTIVE,
      missing: [],
    });
    const { instances } = await trading.instances.listInstances({ sessionId: session.id });
    expect(instances).toHaveLength(1);
    expect(instances[0]).toMatchObject({ status: InstanceStatus.ACTIVE, runningRevision: revision });
    await trading.sessions.stopSession({ id: session.id });
  });

  test('cache refreshes after create, update and delete', async () => {
    const created = await trading.create(strategyJson('refreshed', NEVER));
    // Whoever runs an account's strategies follows all of them.
    await trading.startSession('refreshed', 'AAA_USDT');
    await everyCacheIsCurrent();
    const changed = strategyJson('refreshed', { s1_signal: when('pump_magnitude_pct', '>=', 900) });
    const { strategy: updated } = await trading.strategies.updateStrategy({
      strategy: created.id,
      revision: created.revision,
      source: { case: 'json', value: changed },
    });
    expect(updated?.revision).toBeGreaterThan(created.revision);
    await everyCacheIsCurrent();
    const refused = await errorOf(trading.strategies.deleteStrategy({ strategy: created.id }));
    expect([refused.code, reasonOf(refused)]).toEqual([Code.FailedPrecondition, 'STRATEGY_IN_USE']);
    await trading.strategies.deleteStrategy({ strategy: created.id, force: true });
    await everyCacheIsCurrent();
    const { revision, evaluators } = await trading.strategies.getRollout({});
    expect(evaluators.map(({ appliedRevision }) => appliedRevision)).toEqual(evaluators.map(() => revision));
  });

  test('activation of an unknown strategy fails with a reason and starts nothing', async () => {
    const commands = await trading.stack.client(CommandService);
    const { commands: before } = await commands.listCommands({ pageSize: 1_000 });
    const error = await errorOf(trading.startSession('no-such-strategy', 'AAA_USDT'));
    expect(error.rawMessage).toContain('no-such-strategy');
    expect([Code.NotFound, Code.FailedPrecondition]).toContain(error.code);
    const { commands: after } = await commands.listCommands({ pageSize: 1_000 });
    expect(after.length).toBe(before.length);
    const { instances } = await trading.instances.listInstances({});
    expect(instances.filter(({ strategyName }) => strategyName === 'no-such-strategy')).toEqual([]);
  });

  test('indicator names match whatever their case', async () => {
    await trading.create(
      strategyJson('shouting', {
        ...NEVER,
        ze1_close: when('PUMP-Magnitude Pct', '<', -900),
        z1_entry: when('Rsi_14', '>', 100),
      }),
    );
    const session = await trading.startSession('shouting', 'AAA_USDT');
    expect(session.state).toBe(SessionState.ACTIVE);
    const { strategy } = await trading.strategies.getStrategy({ strategy: 'shouting' });
    expect(strategy?.definition?.z1Entry?.conditions.map(({ indicatorId }) => indicatorId)).toEqual(['rsi_14']);
    const explained = await until(
      async () => {
        const answer = await trading.instances.explainInstance({
          sessionId: session.id,
          strategy: 'shouting',
          symbol: 'AAA_USDT',
        });
        const conditions = answer.sections.flatMap((section) => section.conditions);
        return conditions.every(({ actual }) => actual !== undefined) ? answer : undefined;
      },
      'every indicator has a value',
      60_000,
    );
    expect(explained.sentence).toContain('pump_magnitude_pct');
    await trading.sessions.stopSession({ id: session.id });
  });

  test('update takes effect without restart', async () => {
    const { id, revision } = await trading.create(strategyJson('edited', NEVER));
    const session = await trading.startSession('edited', 'AAA_USDT');
    await trading.strategies.updateStrategy({
      strategy: id,
      revision,
      source: { case: 'json', value: strategyJson('edited', { s1_signal: when('price', '>', 0) }) },
    });
    const signal = await until(
      async () => {
        const { signals } = await trading.sessions.listSignals({ sessionId: session.id });
        return signals[0];
      },
      'the edited strategy signals',
      30_000,
    );
    expect(signal.revision).toBe(revision + 1n);
    await trading.sessions.stopSession({ id: session.id });
  });

  test('no symbol is assumed', async () => {
    await trading.create(strategyJson('nowhere', NEVER));
    const none = await errorOf(
      trading.startSession('nowhere', 'AAA_USDT', { strategies: [{ strategy: 'nowhere', symbols: [] }] }),
    );
    expect(none.code).toBe(Code.InvalidArgument);
    expect(none.rawMessage).toContain('symbols');
    const blind = await errorOf(trading.startSession('nowhere', 'BBB_USDT'));
    expect([blind.code, reasonOf(blind)]).toEqual([Code.FailedPrecondition, 'ACTIVATION_FAILED']);
    expect(blind.rawMessage).toContain('BBB_USDT');
    const { instances } = await trading.instances.listInstances({});
    const elsewhere = instances.filter(({ symbol }) => symbol !== 'AAA_USDT');
    expect(elsewhere.filter(({ status }) => status === InstanceStatus.ACTIVE)).toEqual([]);
  });
});
