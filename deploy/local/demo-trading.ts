import { createClient, ConnectError, Code, type Client, type Transport } from '@connectrpc/connect';
import { DisconnectPolicy, SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';

const SYMBOL = 'DEMO_USDT';
const STRATEGY = 'demo_pump';

/** A market minute passes in a second, so that a signal, a position and its exit are seen within the first minute. */
const MARKET = { seed: 3n, startPrice: '100', speed: 60, pumpEvery: 20, crashEvery: 45 };

/** Rises of three percent in five minutes are bought, and sold again at a profit, a loss, or when they turn. */
const DEFINITION = JSON.stringify({
  strategy_name: STRATEGY,
  description: 'Buys what rises fast and sells when it turns. For trying things out on the simulated market.',
  s1_signal: { conditions: [{ id: 'rise', indicatorId: 'pump_magnitude_pct', operator: '>=', value: 3 }] },
  z1_entry: {
    conditions: [{ id: 'still_up', indicatorId: 'pump_magnitude_pct', operator: '>', value: 1 }],
    positionSize: { type: 'percentage', value: 10 },
    stopLoss: { enabled: true, offsetPercent: 3 },
    takeProfit: { enabled: true, offsetPercent: 4 },
  },
  ze1_close: { conditions: [{ id: 'turned', indicatorId: 'pump_magnitude_pct', operator: '<', value: 0 }] },
  o1_cancel: { timeoutSeconds: 300, conditions: [] },
  emergency_exit: {
    conditions: [{ id: 'crash', indicatorId: 'pump_magnitude_pct', operator: '<', value: -8 }],
    cooldownMinutes: 10,
    actions: { cancelPending: true, closePosition: true },
  },
  global_limits: { base_position_pct: 0.1, max_leverage: 1, stop_loss_buffer_pct: 10 },
});

const OPEN_STATES = [SessionState.STARTING, SessionState.ACTIVE, SessionState.PAUSED, SessionState.STOPPING];

interface DemoClients {
  readonly markets: Client<typeof MarketService>;
  readonly strategies: Client<typeof StrategyService>;
  readonly sessions: Client<typeof SessionService>;
}

/**
 * Makes sure that something trades: a simulated market, a sample strategy, and a paper session of it on `executor`. What is
 * there already, or was stopped by somebody, is left as it is.
 * @throws ConnectError when the platform refuses a step.
 */
export async function ensureDemoTrading(transport: Transport, executor: string): Promise<void> {
  const clients: DemoClients = {
    markets: createClient(MarketService, transport),
    strategies: createClient(StrategyService, transport),
    sessions: createClient(SessionService, transport),
  };
  await ensureMarket(clients);
  // A strategy that was deleted, or changed, is nobody's business here.
  if (!(await ensureStrategy(clients))) return;
  const { sessions } = await clients.sessions.listSessions({ executor, pageSize: 1_000 });
  if (sessions.some(({ state }) => OPEN_STATES.includes(state))) return;
  if (sessions.length > 0 && sessions[0]?.state === SessionState.STOPPED) return;
  await clients.sessions.startSession({
    mode: SessionMode.PAPER,
    executor,
    strategies: [{ strategy: STRATEGY, symbols: [SYMBOL] }],
    disconnectPolicy: DisconnectPolicy.HOLD,
    initialBalance: '10000',
  });
}

async function ensureMarket({ markets }: DemoClients): Promise<void> {
  const { sources } = await markets.listSources({ symbol: SYMBOL });
  if (sources.length > 0) return;
  await markets.startSource({
    symbol: SYMBOL,
    kind: { case: 'simulation', value: { ...MARKET, interval: { seconds: 60n } } },
  });
}

/** Returns whether the strategy is there. */
async function ensureStrategy({ strategies }: DemoClients): Promise<boolean> {
  try {
    await strategies.getStrategy({ strategy: STRATEGY });
    return true;
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
  }
  const { strategies: others } = await strategies.listStrategies({ pageSize: 1 });
  if (others.length > 0) return false;
  await strategies.createStrategy({ source: { case: 'json', value: DEFINITION } });
  return true;
}
