import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readParticipant, readSeries, runBacktest } from '../../services/backtest/index.ts';
import { IndicatorEngine, type MarketEvent, simulate } from '../../services/market/index.ts';
import type { Definition } from '../../services/strategy/index.ts';
import { realData } from '../harness/market-data.ts';
import { plainBacktest, type PlainCandle, type PlainResult } from '../harness/plain-backtest.ts';

const INDICATORS = ['pump_magnitude_pct', 'rsi_14', 'ema_20', 'price_velocity', 'volume_surge_ratio_20'];
const OPERATORS = ['>', '>=', '<', '<='] as const;
const NO_COSTS = { feePercent: '', spreadPercent: '', slippagePercent: '' };

const condition = fc.record({
  indicatorId: fc.constantFrom('pump_magnitude_pct', 'rsi_14', 'price_velocity', 'volume_surge_ratio_20'),
  operator: fc.constantFrom(...OPERATORS),
  value: fc.integer({ min: -40, max: 120 }).map((tenths) => tenths / 10),
});
const section = (maxLength: number) => fc.record({ conditions: fc.array(condition, { maxLength }) });
const offset = fc.option(
  fc.record({ enabled: fc.boolean(), offsetPercent: fc.integer({ min: 1, max: 30 }).map((tenths) => tenths / 10) }),
  { nil: undefined },
);
const minutes = fc.option(fc.constantFrom(0, 0.5, 1, 5, 30), { nil: undefined });
const strategy = fc.record({
  s1_signal: section(1),
  z1_entry: fc.record({
    conditions: fc.array(condition, { maxLength: 2 }),
    positionSize: fc.constant({ type: 'percentage', value: 5 }),
    stopLoss: offset,
    takeProfit: offset,
  }),
  ze1_close: section(1),
  o1_cancel: fc.record({
    conditions: fc.array(condition, { maxLength: 1 }),
    timeoutSeconds: fc.option(fc.constantFrom(0, 30, 60, 90, 300), { nil: undefined }),
    cooldownMinutes: minutes,
  }),
  emergency_exit: fc.record({
    conditions: fc.array(condition, { maxLength: 2 }),
    cooldownMinutes: minutes,
    actions: fc.option(fc.record({ cancelPending: fc.boolean(), closePosition: fc.boolean() }), { nil: undefined }),
  }),
});

/** Undefined where what was drawn is refused. */
function definitionOf(drawn: object): Definition | undefined {
  let number = 0;
  const named = JSON.parse(JSON.stringify(drawn), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'indicatorId' in value
      ? { id: `c${(number += 1)}`, ...value }
      : value,
  );
  return readParticipant(JSON.stringify({ strategy_name: 'drawn', ...named, global_limits: {} })).definition;
}

function viaServices(definition: Definition, events: readonly MarketEvent[]): PlainResult {
  const transitions: string[] = [];
  const trades: string[] = [];
  const run = runBacktest({
    series: { events },
    symbol: 'X',
    participants: [{ instanceId: 'i', strategyId: 's', definition, revision: 1 }],
    initialBalance: '1000000',
    costs: NO_COSTS,
  });
  for (const event of run) {
    if (event.type === 'trade' && event.trade.exit !== undefined) {
      const { entryTimeMs, entryPrice, exit } = event.trade;
      trades.push(`${entryTimeMs} ${entryPrice} ${exit.timeMs} ${exit.price} ${exit.reason}`);
    } else if (event.type === 'evaluation' && event.record.from !== event.record.to) {
      const { timeMs, from, to, section: by } = event.record;
      transitions.push(`${timeMs} ${from} ${to} ${by}`);
    }
  }
  return { transitions, trades };
}

function plainCandles(events: readonly MarketEvent[]): PlainCandle[] {
  const indicators = new IndicatorEngine(INDICATORS);
  return events.map((event) => {
    if (event.kind !== 'candle') throw new Error('candles are expected');
    const values = indicators.update(event);
    const { timeMs: closeMs, high, low, close } = event;
    return {
      closeMs,
      high,
      low,
      close,
      values: Object.fromEntries(INDICATORS.map((id, at) => [id, values[at] ?? NaN])),
    };
  });
}

/** Many strategies over one series; returns how many transitions were compared. */
function compare(events: readonly MarketEvent[], runs: number): number {
  const candles = plainCandles(events);
  let compared = 0;
  fc.assert(
    fc.property(strategy, (drawn) => {
      const definition = definitionOf(drawn);
      fc.pre(definition !== undefined);
      const expected = plainBacktest(definition, candles);
      compared += expected.transitions.length;
      expect(viaServices(definition, events)).toEqual(expected);
    }),
    { numRuns: runs, seed: 7 },
  );
  return compared;
}

describe('the evaluator and the paper venue do what the plain rules say', () => {
  test('on a generated market with pumps and crashes', () => {
    const settings = { seed: 11n, startPrice: '100', intervalMs: 60_000, pumpEvery: 60, crashEvery: 90 };
    const events = [...simulate(settings, 1_700_000_040_000).take(3_000)];
    expect(compare(events, 150)).toBeGreaterThan(10_000);
  });

  test.for(['BTC_BUSD-1m-2022-12-13.csv.gz', 'BTC_USDT-1m-2022-01.csv.gz'])('on %s', async (file, { skip }) => {
    const bytes = realData(file);
    if (bytes === undefined) return skip('the data are not there');
    const { events } = await readSeries(bytes);
    expect(compare(events, events.length > 10_000 ? 10 : 150)).toBeGreaterThan(1_000);
  });
});
