import { expect, test } from 'vitest';
import { IndicatorEngine } from '../indicators/indicator-engine.ts';
import type { TradeEvent } from './market-event.ts';
import { MinuteCandles } from './minute-candles.ts';

const MINUTE = 1_700_000_040_000;

function trade(atMs: number, price: number, amount = 1): TradeEvent {
  const numbers = { priceNumber: price, amountNumber: amount };
  return { kind: 'trade', timeMs: MINUTE + atMs, price: String(price), amount: String(amount), side: '', ...numbers };
}

test('a candle closes with the first trade at or after its end, which belongs to the next', () => {
  const minutes = new MinuteCandles();
  const closed = [trade(100, 5), trade(20_000, 7, 2), trade(59_999, 6), trade(60_000, 9), trade(250_000, 8)].map(
    (each) => minutes.add(each),
  );
  expect(closed).toEqual([
    undefined,
    undefined,
    undefined,
    { closeTimeMs: MINUTE + 60_000, numbers: { open: 5, high: 7, low: 5, close: 6, volume: 4 } },
    { closeTimeMs: MINUTE + 120_000, numbers: { open: 9, high: 9, low: 9, close: 9, volume: 1 } },
  ]);
});

test('it goes on in mid-minute from what was stored', () => {
  const trades = [trade(0, 1), trade(10, 3), trade(20, 2), trade(60_000, 4)];
  const whole = new MinuteCandles();
  const expected = trades.map((each) => whole.add(each));
  const first = new MinuteCandles();
  for (const each of trades.slice(0, 2)) first.add(each);
  const second = new MinuteCandles(structuredClone(first.open));
  expect(trades.slice(2).map((each) => second.add(each))).toEqual(expected.slice(2));
});

test('in a series of trades the price is the trade’s, and candle indicators are those of the closed minutes', () => {
  const engine = new IndicatorEngine(['price', 'close', 'sma_2', 'pump_magnitude_pct_1', 'volume']);
  const trades = [trade(0, 10), trade(30_000, 12), trade(61_000, 20), trade(121_000, 24), trade(250_000, 30)];
  const none = Number.NaN;
  expect(trades.map((each) => [...engine.update(each)])).toEqual([
    [10, none, none, none, none],
    [12, none, none, none, none],
    [20, 12, none, none, 2],
    [24, 20, 16, 100 * (20 / 12 - 1), 1],
    // The minute after had no trade: it makes no candle.
    [30, 24, 22, 100 * (24 / 20 - 1), 1],
  ]);
});
