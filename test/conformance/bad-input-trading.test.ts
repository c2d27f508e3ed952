import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DescMethod } from '@bufbuild/protobuf';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { ExecutorState } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { Freshness } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { HaltScope } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Stack } from '../../services/platform/lifecycle.ts';
import type { TestStack } from '../harness/stack.ts';
import { connected, seriesCsv, strategyJson, when } from '../harness/trading.ts';
import { until } from '../harness/until.ts';
import { faultsOfMethod, soundRequests } from './faults-of.ts';
import { Interrogation } from './interrogation.ts';
import { startReadyStack } from './ready-stack.ts';
import { nameOf, TRADING_RPCS } from './rpc-list.ts';
import type { SampleOf } from './sample-request.ts';
import { StoredStateReader } from './stored-state.ts';
import { Tolerances } from './tolerated.ts';
import { type TradingWorld, tradingSampleOf } from './trading-samples.ts';

const EXECUTOR = 'vps-1';
const SYMBOL = 'SIM_USDT';
const FED_SYMBOL = 'FED_USDT';
const DATASET = 'three-minutes';

const ended = new Stack();
const tolerances = new Tolerances('traders');
let stored: StoredStateReader;
let gateway: Interrogation;
let sample: SampleOf;

beforeAll(async () => {
  const started = await startReadyStack({
    trading: { evaluators: 1 },
    tradingEnv: { market: { STRATEGOS_MARKET_STALE_MS_MIN: '1000', STRATEGOS_MARKET_BLIND_MS_MIN: '2000' } },
  });
  const stack = ended.use(started, (each) => each[Symbol.asyncDispose]());
  stored = ended.use(await StoredStateReader.open(stack.databaseUrl), (reader) => reader[Symbol.asyncDispose]());
  const target = { url: stack.gatewayUrl, bearer: await stack.token() };
  gateway = ended.use(new Interrogation(target, ['Connect JSON', 'gRPC', 'gRPC-Web']), (made) =>
    made[Symbol.dispose](),
  );
  sample = tradingSampleOf(await populate(stack));
});
afterAll(() => ended.stop());

/** Something for every request to speak of, at rest: a session that runs on a symbol whose prices have ended, its agent gone. */
async function populate(stack: TestStack): Promise<TradingWorld> {
  const strategies = await stack.client(StrategyService);
  const markets = await stack.client(MarketService);
  const sessions = await stack.client(SessionService);
  const create = async (name: string): Promise<bigint> => {
    const value = strategyJson(name, { s1_signal: when('price', '>', 1e9) });
    const { strategy } = await strategies.createStrategy({ source: { case: 'json', value } });
    return strategy?.revision ?? 0n;
  };
  await create('runs');
  const revision = await create('spare');
  await markets.importDataset({ name: DATASET, content: seriesCsv([{ close: 100 }, { close: 101 }, { close: 102 }]) });
  await markets.startSource({ symbol: FED_SYMBOL, kind: { case: 'replay', value: { dataset: DATASET } } });
  await until(
    async () => (await markets.listSources({ symbol: FED_SYMBOL, runningOnly: true })).sources.length === 0,
    'the replay is over',
  );
  await markets.startSource({
    symbol: SYMBOL,
    kind: { case: 'simulation', value: { seed: 1n, startPrice: '100', interval: { nanos: 200_000_000 } } },
  });
  const agent = await stack.startAgent({ credentials: await stack.createExecutor(EXECUTOR) });
  await connected(stack, EXECUTOR);
  const { halt } = await sessions.stopAll({ scope: HaltScope.EXECUTOR, target: EXECUTOR, wait: { seconds: 30n } });
  expect(halt?.complete).toBe(true);
  const { session } = await sessions.startSession({
    mode: SessionMode.PAPER,
    executor: EXECUTOR,
    strategies: [{ strategy: 'runs', symbols: [SYMBOL] }],
    initialBalance: '10000',
  });
  await markets.stopSource({ source: SYMBOL });
  const instances = await stack.client(EvaluatorService);
  await until(
    async () => (await instances.listInstances({})).instances[0]?.freshness === Freshness.BLIND,
    'the instance has no prices any more',
  );
  await agent.stop();
  const executors = await stack.executorClient();
  await until(
    async () => (await executors.getExecutor({ executor: EXECUTOR })).executor?.state === ExecutorState.OFFLINE,
    'the agent is gone',
  );
  return {
    executor: EXECUTOR,
    strategy: 'runs',
    spareStrategy: 'spare',
    revision,
    dataset: DATASET,
    symbol: SYMBOL,
    fedSymbol: FED_SYMBOL,
    sessionId: session?.id ?? '',
    haltId: halt?.id ?? '',
  };
}

const METHODS = TRADING_RPCS.map((method) => [nameOf(method), method] as const);

// Nothing sound is sent before the last of these: what it starts lives by itself, which changes what is stored.
describe.each(METHODS)('%s', (_name, method: DescMethod) => {
  test('refuses whatever is wrong by the name of its field, and stores nothing of it', async () => {
    const faults = faultsOfMethod(method, sample).filter((fault) => !tolerances.covers(fault));
    expect(faults.length).toBeGreaterThan(0);
    const before = await stored.read();
    expect(await gateway.unrefused(method, faults)).toEqual([]);
    expect(await stored.read()).toEqual(before);
  });
});

describe.each(METHODS)('%s', (_name, method: DescMethod) => {
  test('takes what only looks wrong, and what is sound', async () => {
    const faults = faultsOfMethod(method, sample).filter((fault) => tolerances.covers(fault));
    expect(await gateway.refused(method, faults)).toEqual([]);
    expect(await gateway.unsound(method, soundRequests(method.input, sample))).toEqual([]);
  });
});

test('every exception to the rules is one that is needed', () => {
  expect(tolerances.unused()).toEqual([]);
});
