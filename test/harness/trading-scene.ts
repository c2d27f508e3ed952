import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Clients } from './clients.ts';
import type { TestStack } from './stack.ts';
import { until } from './until.ts';

/** Signals at every price, enters at the next one, and leaves only when it is told to or falls by half. */
export const EAGER = {
  strategy_name: 'eager',
  description: 'Enters at the first price that it sees',
  s1_signal: { conditions: [{ id: 'any', indicatorId: 'price', operator: '>', value: 0 }] },
  z1_entry: {
    conditions: [{ id: 'also', indicatorId: 'price', operator: '>', value: 0 }],
    positionSize: { type: 'percentage', value: 10 },
    stopLoss: { enabled: true, offsetPercent: 50 },
  },
  ze1_close: { conditions: [] },
  o1_cancel: { timeoutSeconds: 3_600, conditions: [] },
  emergency_exit: { conditions: [] },
  global_limits: { max_leverage: 1 },
};

/** What there is to trade with: an agent that is connected, a market that is fed every second, and a strategy. */
export async function setTradingScene(stack: TestStack): Promise<{ readonly strategyId: string }> {
  await stack.startAgent({ credentials: await stack.createExecutor('vps-1', { kind: 'paper' }) });
  using clients = new Clients();
  const token = await stack.token();
  const markets = clients.edge(MarketService, stack.gatewayUrl, token);
  await markets.startSource({
    symbol: 'BTC_USDT',
    kind: {
      case: 'simulation',
      value: { seed: 7n, startPrice: '100', interval: { seconds: 1n }, speed: 2, pumpEvery: 60, crashEvery: 90 },
    },
  });
  const strategies = clients.edge(StrategyService, stack.gatewayUrl, token);
  const { strategy } = await strategies.createStrategy({ source: { case: 'json', value: JSON.stringify(EAGER) } });
  if (strategy === undefined) throw new Error('the strategy was created without an answer');
  return { strategyId: strategy.id };
}

/** Commands in several states: done, refused, and waiting for an executor that never connects. */
export async function issueCommands(stack: TestStack): Promise<{ readonly refused: string; readonly waiting: string }> {
  await stack.createExecutor('vps-2');
  using clients = new Clients();
  const commands = clients.edge(CommandService, stack.gatewayUrl, await stack.token());
  for (let count = 0; count < 5; count += 1) {
    await commands.issueCommand({ executor: 'vps-1', kind: { case: 'ping', value: { payload: `ping ${count}` } } });
  }
  const { command: refused } = await commands.issueCommand({
    executor: 'vps-1',
    kind: {
      case: 'openPosition',
      value: { sessionId: 'none', symbol: 'BTC_USDT', side: Side.BUY, quantity: '0.1', referencePrice: '60000' },
    },
  });
  const { command: waiting } = await commands.issueCommand({
    executor: 'vps-2',
    kind: { case: 'getStatus', value: {} },
    deadlines: { deliverWithin: { seconds: 86_400n } },
  });
  const id = refused?.id ?? '';
  await until(
    async () => (await commands.getCommand({ id })).command?.state === CommandState.REJECTED,
    'the order without a session is refused',
  );
  return { refused: id, waiting: waiting?.id ?? '' };
}
