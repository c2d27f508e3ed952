import { EMA, MACD, SMA, WMA } from 'trading-signals';
import type { CandleNumbers } from '../domain/market-event.ts';
import { type Computation, NumberWindow } from './computation.ts';
import { type Family, period } from './family.ts';

/** A library's answer as ours: null and what is not finite are no value. */
export function valueOf(result: number | null): number {
  return result !== null && Number.isFinite(result) ? result : Number.NaN;
}

/** A computation with one value from the close, or from another number of the candle. */
export function fromNumber(
  update: (value: number) => number | null,
  of: (candle: CandleNumbers) => number = (candle) => candle.close,
): Computation {
  const values = new Float64Array([Number.NaN]);
  return {
    values,
    update(candle) {
      values[0] = valueOf(update(of(candle)));
    },
  };
}

/** An EMA as the library makes it, silent until it has seen its period. */
function ema(length: number): (value: number) => number {
  const average = new EMA(length);
  let seen = 0;
  return (value) => {
    const result = average.update(value, false);
    seen += 1;
    return seen >= length ? result : Number.NaN;
  };
}

function macd([fast = 12, slow = 26, signalLength = 9]: readonly number[]): Computation {
  const library = new MACD(new EMA(fast), new EMA(slow), new EMA(signalLength));
  const values = new Float64Array(3).fill(Number.NaN);
  let seen = 0;
  return {
    values,
    update(candle) {
      const result = library.update(candle.close, false);
      seen += 1;
      if (result === null) return;
      values[0] = result.macd;
      if (seen < slow + signalLength - 1) return;
      values[1] = result.signal;
      values[2] = result.histogram;
    },
  };
}

function vwap([length = 60]: readonly number[]): Computation {
  const values = new Float64Array([Number.NaN]);
  const paid = new NumberWindow(length);
  const traded = new NumberWindow(length);
  return {
    values,
    update({ high, low, close, volume }) {
      paid.push(((high + low + close) / 3) * volume);
      traded.push(volume);
      if (paid.full) values[0] = valueOf(paid.sum() / traded.sum());
    },
  };
}

function volumeSurge([length = 20]: readonly number[]): Computation {
  const values = new Float64Array([Number.NaN]);
  const before = new NumberWindow(length);
  return {
    values,
    update({ volume }) {
      values[0] = before.full ? valueOf(volume / (before.sum() / length)) : Number.NaN;
      before.push(volume);
    },
  };
}

const EMA_FORMULA =
  'k = 2 ÷ (period + 1); e(1) = close(1), the first candle of the series; e(i) = k × close(i) + (1 − k) × e(i − 1)';

/** Averages of closes and volumes, and what is made of them. */
export const AVERAGE_FAMILIES: readonly Family[] = [
  {
    family: 'sma',
    title: 'Simple moving average',
    description: 'Mean of the last closes.',
    formula: '(sum of the last `period` closes, the newest included) ÷ period',
    unit: 'price',
    parameters: [period(20, 1, 1_000)],
    outputs: [],
    examples: ['sma_20', 'sma_200'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => {
      const average = new SMA(length);
      return fromNumber((close) => average.update(close, false));
    },
  },
  {
    family: 'ema',
    title: 'Exponential moving average',
    description: 'Mean of all closes, newer ones weighing more.',
    formula: `${EMA_FORMULA}. The value is e(i), shown from the candle number \`period\` on. The seed is the first close, not a mean`,
    unit: 'price',
    parameters: [period(20, 1, 500)],
    outputs: [],
    examples: ['ema_20', 'ema_50'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => fromNumber(ema(length)),
  },
  {
    family: 'wma',
    title: 'Weighted moving average',
    description: 'Mean of the last closes, weights falling evenly with age.',
    formula:
      'sum over the last `period` closes of weight × close, ÷ (period × (period + 1) ÷ 2); the oldest close has weight 1, the newest weight `period`',
    unit: 'price',
    parameters: [period(20, 1, 1_000)],
    outputs: [],
    examples: ['wma_20'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => {
      const average = new WMA(length);
      return fromNumber((close) => average.update(close, false));
    },
  },
  {
    family: 'macd',
    title: 'Moving average convergence divergence',
    description: 'Distance of a fast from a slow average, its own average, and the distance of the two.',
    formula:
      'line(i) = e_fast(i) − e_slow(i), both by the rule of `ema` on closes, seeded with the first close of the series. ' +
      'signal by the rule of `ema` with period `signal` on the line, seeded with the line at candle number `slow`. histogram = line − signal. ' +
      'line is shown from candle `slow` on, signal and histogram from candle `slow` + `signal` − 1 on',
    unit: 'price',
    parameters: [period(12, 1, 500, 'fast'), period(26, 2, 500, 'slow'), period(9, 1, 500, 'signal')],
    outputs: ['line', 'signal', 'histogram'],
    defaultOutput: 'line',
    examples: ['macd_12_26_9_line', 'macd_12_26_9_signal', 'macd_12_26_9_histogram'],
    refuse: ([fast = 12, slow = 26]) => (fast < slow ? undefined : `fast (${fast}) must be below slow (${slow})`),
    warmUp: ([, slow = 26, signal = 9], output) => (output === 'line' ? slow : slow + signal - 1),
    create: macd,
  },
  {
    family: 'vwap',
    title: 'Volume-weighted average price',
    description: 'Mean price of what was traded within the last candles.',
    formula:
      'typical = (high + low + close) ÷ 3; (sum of typical × volume over the last `period` candles) ÷ (sum of their volumes). No value when that volume is 0',
    unit: 'price',
    parameters: [period(60, 1, 1_440)],
    outputs: [],
    examples: ['vwap_60'],
    warmUp: ([length = 60]) => length,
    create: vwap,
  },
  {
    family: 'volume_sma',
    title: 'Mean volume',
    description: 'Mean of the last volumes.',
    formula: '(sum of the last `period` volumes, the newest included) ÷ period',
    unit: 'volume',
    parameters: [period(20, 1, 1_000)],
    outputs: [],
    examples: ['volume_sma_20'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => {
      const average = new SMA(length);
      return fromNumber(
        (volume) => average.update(volume, false),
        (candle) => candle.volume,
      );
    },
  },
  {
    family: 'volume_surge_ratio',
    title: 'Volume surge',
    description: 'How many times the usual volume the newest candle has.',
    formula:
      'volume ÷ (sum of the volumes of the `period` candles before it ÷ period); the newest is not part of the mean. No value when that mean is 0',
    unit: 'ratio',
    parameters: [period(20, 1, 1_000)],
    outputs: [],
    examples: ['volume_surge_ratio_20'],
    warmUp: ([length = 20]) => length + 1,
    create: volumeSurge,
  },
];
