import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { InstanceStatus } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { ActivationState, type Session } from '../../proto/gen/strategos/session/v1/session_pb.js';
import type { Strategy } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { strategyJson, TradingStack, when } from '../harness/trading.ts';
import { until } from '../harness/until.ts';
import { NatsProxy } from './nats-proxy.ts';
import { seededRandom } from './random.ts';

const ROUNDS = 200;
const WORKERS = 8;
const SYMBOL = 'AAA_USDT';
/** Sessions, commands and evaluators share two processors with whatever else is tested. */
const ROUNDS_MS_MAX = 300_000;

function never(value: number) {
  return { s1_signal: when('pump_magnitude_pct', '>=', value) };
}

/** One round: a strategy is made, edited and activated; what was answered is held against what runs. */
async function round(trading: TradingStack, session: Session, number: number): Promise<string[]> {
  const name = `round-${number}`;
  const created = await trading.create(strategyJson(name, never(1_000)));
  const { strategy: edited } = await trading.strategies.updateStrategy({
    strategy: created.id,
    revision: created.revision,
    source: { case: 'json', value: strategyJson(name, never(2_000)) },
  });
  if (edited === undefined) throw new Error('an update came back without its strategy');
  const faults =
    number % 4 === 0 ? await activateDeleted(trading, session, edited) : await activate(trading, session, edited);
  return faults.map((fault) => `${name}: ${fault}`);
}

async function activate(trading: TradingStack, { id }: Session, strategy: Strategy): Promise<string[]> {
  const selection = { strategy: strategy.id, symbols: [SYMBOL] };
  const { session } = await trading.sessions.activateStrategy({ id, selection, wait: { seconds: 60n } });
  const answer = session?.activations.find(({ strategyId }) => strategyId === strategy.id);
  const { instances } = await trading.instances.listInstances({ sessionId: id, strategyId: strategy.id });
  const [running] = instances;
  const faults: string[] = [];
  if (answer?.state !== ActivationState.ACTIVE) faults.push(`answered ${ActivationState[answer?.state ?? 0]}`);
  if (answer?.revision !== strategy.revision)
    faults.push(`answered revision ${answer?.revision}, saved ${strategy.revision}`);
  if (running?.status !== InstanceStatus.ACTIVE) faults.push(`its instance is ${InstanceStatus[running?.status ?? 0]}`);
  if (running?.runningRevision !== strategy.revision)
    faults.push(`runs ${running?.runningRevision}, not ${strategy.revision}`);
  await trading.sessions.deactivateStrategy({ id, strategy: strategy.id });
  return faults;
}

async function activateDeleted(trading: TradingStack, { id }: Session, strategy: Strategy): Promise<string[]> {
  await trading.strategies.deleteStrategy({ strategy: strategy.id });
  try {
    await trading.sessions.activateStrategy({ id, selection: { strategy: strategy.id, symbols: [SYMBOL] } });
    return ['was activated although it had been deleted'];
  } catch (thrown) {
    const { code } = ConnectError.from(thrown);
    return code === Code.NotFound || code === Code.FailedPrecondition ? [] : [`was refused with ${Code[code]}`];
  }
}

test(`${ROUNDS} activations of what was just saved, with messages dropped, doubled and swapped, and NATS restarted`, {
  timeout: ROUNDS_MS_MAX + 60_000,
}, async () => {
  await using proxy = await NatsProxy.start(seededRandom(4_242));
  await using trading = await TradingStack.start({
    nats: 'own',
    trading: { evaluators: 2 },
    tradingEnv: { evaluator: { NATS_URL: proxy.url } },
  });
  const { nats, natsUrl } = trading.stack;
  if (nats === undefined) throw new Error('the stack has a NATS of its own');
  proxy.forwardTo(natsUrl);
  await trading.quietMarket(SYMBOL);
  await trading.create(strategyJson('base', never(5_000)));
  const sessions = await Promise.all(Array.from({ length: WORKERS }, () => trading.startSession('base', SYMBOL)));
  proxy.weather = { drop: 0.25, duplicate: 0.25, reorder: 0.25 };
  let next = 0;
  const faults: string[] = [];
  const work = async (session: Session): Promise<void> => {
    while (next < ROUNDS) {
      const number = (next += 1);
      if (number === ROUNDS / 2) {
        await nats.stop();
        await nats.start();
      }
      faults.push(...(await round(trading, session, number)));
    }
  };
  await Promise.all(sessions.map(work));
  expect(faults).toEqual([]);
  expect(proxy.counts.dropped).toBeGreaterThan(ROUNDS / 10);
  expect(proxy.counts.duplicated).toBeGreaterThan(ROUNDS / 10);
  expect(proxy.counts.reordered).toBeGreaterThan(ROUNDS / 10);
  // Quiet: messages may go on being lost, caches still end where the store is.
  const rollout = await until(
    async () => {
      const answer = await trading.strategies.getRollout({});
      return answer.evaluators.length === 2 && answer.evaluators.every(({ current }) => current) ? answer : undefined;
    },
    'both evaluators hold what is stored',
    30_000,
  );
  expect(new Set(rollout.evaluators.map(({ digest }) => digest))).toEqual(new Set([rollout.digest]));
});
