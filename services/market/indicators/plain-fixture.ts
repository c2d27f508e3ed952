import type { CandleNumbers } from '../domain/market-event.ts';

/** A candle with the time at which it closed. */
export interface TimedCandle extends CandleNumbers {
  readonly closeTimeMs: number;
}

type Plain = (candles: readonly TimedCandle[], parameters: readonly number[], output: string) => number[];

const NONE = Number.NaN;
const MINUTE_MS = 60_000;

/** A value for each candle from the window of the last `length` candles that ends with it. */
function windows<T>(items: readonly T[], length: number, of: (window: readonly T[]) => number): number[] {
  return items.map((_, i) => (i + 1 < length ? NONE : of(items.slice(i + 1 - length, i + 1))));
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Exponential average of everything from the first input on. */
function exponential(values: readonly number[], length: number): number[] {
  const k = 2 / (length + 1);
  const averages: number[] = [];
  for (const [i, value] of values.entries()) {
    averages.push(i === 0 ? value : k * value + (1 - k) * (averages[i - 1] ?? NONE));
  }
  return averages;
}

function hideBefore(values: readonly number[], warmUp: number): number[] {
  return values.map((value, i) => (i + 1 < warmUp ? NONE : value));
}

/** Wilder's smoothing; inputs may begin with NaN, which are no inputs. */
function wilder(values: readonly number[], length: number): number[] {
  const first = values.findIndex((value) => !Number.isNaN(value));
  const smoothed: number[] = [];
  for (const [i, value] of values.entries()) {
    const count = i - first + 1;
    if (first === -1 || count < length) smoothed.push(NONE);
    else if (count === length) smoothed.push(mean(values.slice(first, i + 1)));
    else {
      const before = smoothed[i - 1] ?? NONE;
      smoothed.push(before + (value - before) / length);
    }
  }
  return smoothed;
}

function closes(candles: readonly TimedCandle[]): number[] {
  return candles.map(({ close }) => close);
}

function typical({ high, low, close }: CandleNumbers): number {
  return (high + low + close) / 3;
}

function trueRanges(candles: readonly TimedCandle[]): number[] {
  return candles.map(({ high, low }, i) => {
    const before = candles[i - 1]?.close;
    return before === undefined ? high - low : Math.max(high - low, Math.abs(high - before), Math.abs(low - before));
  });
}

function highest(candles: readonly TimedCandle[]): number {
  return Math.max(...candles.map(({ high }) => high));
}

function lowest(candles: readonly TimedCandle[]): number {
  return Math.min(...candles.map(({ low }) => low));
}

function last<T>(items: readonly T[]): T {
  const item = items.at(-1);
  if (item === undefined) throw new Error('an empty window has no last item');
  return item;
}

function macd(candles: readonly TimedCandle[], [fast = 0, slow = 0, signal = 0]: readonly number[], output: string) {
  const prices = closes(candles);
  const [quick, calm] = [exponential(prices, fast), exponential(prices, slow)];
  const line = quick.map((value, i) => value - (calm[i] ?? NONE));
  const averages = [...Array.from({ length: slow - 1 }, () => NONE), ...exponential(line.slice(slow - 1), signal)];
  if (output === 'line') return hideBefore(line, slow);
  const shown = output === 'signal' ? averages : line.map((value, i) => value - (averages[i] ?? NONE));
  return hideBefore(shown.slice(0, candles.length), slow + signal - 1);
}

function adx(candles: readonly TimedCandle[], [length = 0]: readonly number[]): number[] {
  const moves = candles.map(({ high, low }, i) => {
    const before = candles[i - 1];
    if (before === undefined) return { plus: 0, minus: 0 };
    const [up, down] = [high - before.high, before.low - low];
    return { plus: up >= 0 && up >= down ? up : 0, minus: down >= 0 && down >= up ? down : 0 };
  });
  const ranges = wilder(trueRanges(candles), length);
  const plus = wilder(
    moves.map((move) => move.plus),
    length,
  );
  const minus = wilder(
    moves.map((move) => move.minus),
    length,
  );
  const dx = candles.map((_, i) => {
    if (i + 1 < length) return NONE;
    if (ranges[i] === 0) return 0;
    const p = (plus[i] ?? NONE) / (ranges[i] ?? NONE);
    const m = (minus[i] ?? NONE) / (ranges[i] ?? NONE);
    return p + m === 0 ? 0 : (100 * Math.abs(p - m)) / (p + m);
  });
  return wilder(dx, length);
}

function bollinger([length = 0, deviations = 0]: readonly number[], output: string, prices: readonly number[]) {
  return windows(prices, length, (window) => {
    const middle = mean(window);
    const same = window.every((price) => price === window[0]);
    const s = same ? 0 : Math.sqrt(mean(window.map((price) => (price - middle) ** 2)));
    const [upper, lower] = [middle + deviations * s, middle - deviations * s];
    if (output === 'upper') return upper;
    if (output === 'middle') return middle;
    if (output === 'lower') return lower;
    if (output === 'bandwidth') return (100 * (upper - lower)) / middle;
    return upper === lower ? NONE : (last(window) - lower) / (upper - lower);
  });
}

function sinceMinutes(candles: readonly TimedCandle[], minutes: number): number[] {
  return candles.map(({ close, closeTimeMs }) => {
    const before = candles.find((candle) => candle.closeTimeMs === closeTimeMs - minutes * MINUTE_MS);
    return before === undefined ? NONE : 100 * (close / before.close - 1);
  });
}

/** Every family, written anew from its formula in the catalogue alone, without regard to speed. */
export const PLAIN: Readonly<Record<string, Plain>> = {
  price: closes,
  open: (candles) => candles.map(({ open }) => open),
  high: (candles) => candles.map(({ high }) => high),
  low: (candles) => candles.map(({ low }) => low),
  close: closes,
  volume: (candles) => candles.map(({ volume }) => volume),
  candle_change_pct: (candles) => candles.map(({ open, close }) => 100 * (close / open - 1)),
  candle_range_pct: (candles) => candles.map(({ high, low }) => 100 * (high / low - 1)),
  sma: (candles, [length = 0]) => windows(closes(candles), length, mean),
  ema: (candles, [length = 0]) => hideBefore(exponential(closes(candles), length), length),
  wma: (candles, [length = 0]) =>
    windows(
      closes(candles),
      length,
      (window) => sum(window.map((c, i) => c * (i + 1))) / ((length * (length + 1)) / 2),
    ),
  macd,
  vwap: (candles, [length = 0]) =>
    windows(candles, length, (window) => {
      const volume = sum(window.map((candle) => candle.volume));
      return volume === 0 ? NONE : sum(window.map((candle) => typical(candle) * candle.volume)) / volume;
    }),
  volume_sma: (candles, [length = 0]) => windows(candles, length, (window) => mean(window.map(({ volume }) => volume))),
  volume_surge_ratio: (candles, [length = 0]) =>
    windows(candles, length + 1, (window) => {
      const usual = mean(window.slice(0, -1).map(({ volume }) => volume));
      return usual === 0 ? NONE : last(window).volume / usual;
    }),
  rsi: (candles, [length = 0]) => {
    const steps = closes(candles).map((close, i, all) => (i === 0 ? NONE : close - (all[i - 1] ?? NONE)));
    const gains = wilder(
      steps.map((step) => (Number.isNaN(step) ? NONE : Math.max(step, 0))),
      length,
    );
    const losses = wilder(
      steps.map((step) => (Number.isNaN(step) ? NONE : Math.max(-step, 0))),
      length,
    );
    return gains.map((gain, i) => (losses[i] === 0 ? 100 : 100 - 100 / (1 + gain / (losses[i] ?? NONE))));
  },
  atr: (candles, [length = 0]) => wilder(trueRanges(candles), length),
  atr_pct: (candles, [length = 0]) =>
    wilder(trueRanges(candles), length).map((range, i) => (100 * range) / (candles[i]?.close ?? NONE)),
  adx,
  stochastic: (candles, [length = 0, smooth = 0, d = 0], output) => {
    const raw = windows(candles, length, (window) => {
      const range = highest(window) - lowest(window);
      return (100 * (last(window).close - lowest(window))) / (range === 0 ? 1 : range);
    });
    const ks = windows(raw, smooth, mean);
    const ds = windows(ks, d, mean);
    return hideBefore(output === 'k' ? ks : ds, length + smooth + d - 2);
  },
  williams_r: (candles, [length = 0]) =>
    windows(candles, length, (window) => {
      const range = highest(window) - lowest(window);
      return range === 0 ? -100 : (-100 * (highest(window) - last(window).close)) / range;
    }),
  roc: (candles, [length = 0]) =>
    windows(
      closes(candles),
      length + 1,
      (window) => (100 * (last(window) - (window[0] ?? NONE))) / (window[0] ?? NONE),
    ),
  momentum: (candles, [length = 0]) =>
    windows(closes(candles), length + 1, (window) => last(window) - (window[0] ?? NONE)),
  cci: (candles, [length = 0]) =>
    windows(candles.map(typical), length, (window) => {
      if (window.every((value) => value === window[0])) return NONE;
      const middle = mean(window);
      const deviation = mean(window.map((value) => Math.abs(value - middle)));
      return deviation === 0 ? NONE : (last(window) - middle) / (0.015 * deviation);
    }),
  mfi: (candles, [length = 0]) =>
    windows(candles, length + 1, (window) => {
      let [rising, falling] = [0, 0];
      for (const [i, candle] of window.entries()) {
        const before = window[i - 1];
        if (before === undefined) continue;
        const flow = typical(candle) * candle.volume;
        if (typical(candle) > typical(before)) rising += flow;
        else if (typical(candle) < typical(before)) falling += flow;
      }
      return rising + falling === 0 ? 50 : (100 * rising) / (rising + falling);
    }),
  bollinger: (candles, parameters, output) => bollinger(parameters, output, closes(candles)),
  highest: (candles, [length = 0]) => windows(candles, length, highest),
  lowest: (candles, [length = 0]) => windows(candles, length, lowest),
  drawdown_pct: (candles, [length = 0]) =>
    windows(candles, length, (window) => 100 * (1 - last(window).close / highest(window))),
  rebound_pct: (candles, [length = 0]) =>
    windows(candles, length, (window) => 100 * (last(window).close / lowest(window) - 1)),
  pump_magnitude_pct: (candles, [minutes = 0]) => sinceMinutes(candles, minutes),
  price_velocity: (candles, [minutes = 0]) => sinceMinutes(candles, minutes).map((percent) => percent / minutes),
};
