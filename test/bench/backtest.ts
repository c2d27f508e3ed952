import { readParticipant, runBacktest } from '../../services/backtest/index.ts';
import { simulate } from '../../services/market/index.ts';
import { strategyJson, when } from '../harness/trading.ts';

export interface BacktestResult {
  readonly minutes: number;
  readonly trades: number;
  readonly minutesPerSecond: number;
}

/** A strategy with five indicators over generated minutes, from the first event to the summary. */
export function measureBacktest(minutes: number): BacktestResult {
  const { definition } = readParticipant(
    strategyJson('bench', {
      s1_signal: when('pump_magnitude_pct', '>=', 2),
      z1_entry: { ...when('rsi_14', '>', 50), stopLoss: { enabled: true, offsetPercent: 2 } },
      ze1_close: when('macd_12_26_9_histogram', '<', 0),
      o1_cancel: { ...when('volume_surge_ratio_20', '>', 50), timeoutSeconds: 300 },
      emergency_exit: when('bollinger_20_2_lower', '<', 0),
    }),
  );
  if (definition === undefined) throw new Error('the strategy cannot be run');
  const settings = { seed: 9n, startPrice: '100', intervalMs: 60_000, pumpEvery: 120, crashEvery: 240 };
  const events = [...simulate(settings, 1_700_000_040_000).take(minutes)];
  const startMs = performance.now();
  const run = runBacktest({
    series: { events },
    symbol: 'BENCH',
    participants: [{ instanceId: 'i', strategyId: 's', definition, revision: 1 }],
    initialBalance: '10000',
    costs: { feePercent: '0.1', spreadPercent: '', slippagePercent: '' },
  });
  let step = run.next();
  while (step.done !== true) step = run.next();
  const seconds = (performance.now() - startMs) / 1_000;
  return { minutes, trades: step.value.trades, minutesPerSecond: minutes / seconds };
}
