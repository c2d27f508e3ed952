import { ATR, CCI, MFI, MOM, ROC, RSI, StochasticOscillator, WilliamsR, WSMA } from 'trading-signals';
import type { CandleNumbers } from '../domain/market-event.ts';
import { fromNumber, valueOf } from './averages.ts';
import { type Computation, NumberWindow } from './computation.ts';
import { type Family, period } from './family.ts';

/** Wilder's smoothing needs many candles to forget its seed; the longest still does within the kept history. */
const WILDER_MAX = 250;
const WILDER =
  'w(period) = mean of the first `period` inputs; then w(i) = w(i − 1) + (input(i) − w(i − 1)) ÷ period (Wilder)';

function fromCandle(update: (candle: CandleNumbers) => number | null, warmUp: number): Computation {
  const values = new Float64Array([Number.NaN]);
  let seen = 0;
  return {
    values,
    update(candle) {
      seen += 1;
      const value = update(candle);
      if (seen >= warmUp) values[0] = valueOf(value);
    },
  };
}

function stochastic([k = 14, smooth = 3, d = 3]: readonly number[]): Computation {
  const library = new StochasticOscillator({ kPeriod: k, kSlowingPeriod: smooth, dPeriod: d });
  const values = new Float64Array(2).fill(Number.NaN);
  return {
    values,
    update(candle) {
      const result = library.update(candle, false);
      if (result === null) return;
      values[0] = result.stochK;
      values[1] = result.stochD;
    },
  };
}

/**
 * From the library's smoothing and true range, not from its own ADX: that one divides 0 by 0 when a series begins without any
 * movement, and has no value ever after.
 */
function adx([length = 14]: readonly number[]): Computation {
  const values = new Float64Array([Number.NaN]);
  const range = new ATR(length);
  const plus = new WSMA(length);
  const minus = new WSMA(length);
  const smoothed = new WSMA(length);
  let before: CandleNumbers | undefined;
  return {
    values,
    update(candle) {
      const up = before === undefined ? 0 : candle.high - before.high;
      const down = before === undefined ? 0 : before.low - candle.low;
      before = candle;
      const ranged = range.update(candle, false);
      const p = plus.update(up >= 0 && up >= down ? up : 0, false);
      const m = minus.update(down >= 0 && down >= up ? down : 0, false);
      if (ranged === null || p === null || m === null) return;
      // Both are divided by the same range, which falls out of the quotient.
      const dx = ranged === 0 || p + m === 0 ? 0 : (100 * Math.abs(p - m)) / (p + m);
      values[0] = valueOf(smoothed.update(dx, false));
    },
  };
}

const TRUE_RANGE =
  'true range = high − low for the first candle, afterwards the greatest of high − low, |high − previous close| and |low − previous close|';

/** Momentum, strength and range. */
export const OSCILLATOR_FAMILIES: readonly Family[] = [
  {
    family: 'rsi',
    title: 'Relative strength index',
    description: 'Strength of rises against falls, 0 to 100.',
    formula:
      'for each candle after the first: gain = max(close − previous close, 0), loss = max(previous close − close, 0). Both smoothed: ' +
      `${WILDER}. rsi = 100 − 100 ÷ (1 + smoothed gain ÷ smoothed loss); 100 when the smoothed loss is 0. First value at candle \`period\` + 1`,
    unit: '0 to 100',
    parameters: [period(14, 2, WILDER_MAX)],
    outputs: [],
    examples: ['rsi_14'],
    warmUp: ([length = 14]) => length + 1,
    create: ([length = 14]) => {
      const rsi = new RSI(length);
      return fromNumber((close) => rsi.update(close, false));
    },
  },
  {
    family: 'atr',
    title: 'Average true range',
    description: 'How far the price usually moves within a candle.',
    formula: `${TRUE_RANGE}. Smoothed: ${WILDER}; the first candle's true range is an input`,
    unit: 'price',
    parameters: [period(14, 1, WILDER_MAX)],
    outputs: [],
    examples: ['atr_14'],
    warmUp: ([length = 14]) => length,
    create: ([length = 14]) => {
      const atr = new ATR(length);
      return fromCandle((candle) => atr.update(candle, false), length);
    },
  },
  {
    family: 'atr_pct',
    title: 'Average true range in percent',
    description: 'The average true range as a share of the close.',
    formula: '100 × atr ÷ close, atr by the rule of `atr`',
    unit: 'percent',
    parameters: [period(14, 1, WILDER_MAX)],
    outputs: [],
    examples: ['atr_pct_14'],
    warmUp: ([length = 14]) => length,
    create: ([length = 14]) => {
      const atr = new ATR(length);
      return fromCandle((candle) => {
        const range = atr.update(candle, false);
        return range === null ? null : (100 * range) / candle.close;
      }, length);
    },
  },
  {
    family: 'adx',
    title: 'Average directional index',
    description: 'Strength of a trend, whatever its direction, 0 to 100.',
    formula:
      'up = high − previous high, down = previous low − low; plus = up when up ≥ 0 and up ≥ down, otherwise 0; minus = down when down ≥ 0 and down ≥ up, otherwise 0; both are 0 for the first candle. ' +
      `plus, minus and true range (as for \`atr\`), each from the first candle on, smoothed: ${WILDER}. p = smoothed plus ÷ smoothed true range, m = smoothed minus ÷ smoothed true range, ` +
      'dx = 100 × |p − m| ÷ (p + m), 0 when p + m = 0 or the smoothed true range is 0; dx exists from candle `period` on. adx = dx smoothed by the same rule. First value at candle 2 × `period` − 1',
    unit: '0 to 100',
    parameters: [period(14, 2, WILDER_MAX / 2)],
    outputs: [],
    examples: ['adx_14'],
    warmUp: ([length = 14]) => 2 * length - 1,
    create: adx,
  },
  {
    family: 'stochastic',
    title: 'Stochastic oscillator',
    description: 'Where the close lies within the range of the last candles, 0 to 100.',
    formula:
      'raw = 100 × (close − lowest low) ÷ (highest high − lowest low) over the last `period` candles, the newest included; when the two are equal the divisor is 1, so raw is 0. ' +
      'k = mean of the last `smooth` raw values, d = mean of the last `d` values of k. Both are shown from candle `period` + `smooth` + `d` − 2 on',
    unit: '0 to 100',
    parameters: [period(14, 1, 500), period(3, 1, 100, 'smooth'), period(3, 1, 100, 'd')],
    outputs: ['k', 'd'],
    defaultOutput: 'k',
    examples: ['stochastic_14_3_3_k', 'stochastic_14_3_3_d'],
    warmUp: ([length = 14, smooth = 3, d = 3]) => length + smooth + d - 2,
    create: stochastic,
  },
  {
    family: 'williams_r',
    title: 'Williams %R',
    description: 'How far the close lies below the highest high, −100 to 0.',
    formula:
      '−100 × (highest high − close) ÷ (highest high − lowest low) over the last `period` candles, the newest included; −100 when the two are equal',
    unit: '−100 to 0',
    parameters: [period(14, 1, 500)],
    outputs: [],
    examples: ['williams_r_14'],
    warmUp: ([length = 14]) => length,
    create: ([length = 14]) => {
      const williams = new WilliamsR(length);
      return fromCandle((candle) => williams.update(candle, false), length);
    },
  },
  {
    family: 'roc',
    title: 'Rate of change',
    description: 'Change of the close against the close some candles before, in percent. Counts candles, not minutes.',
    formula: '100 × (close − c) ÷ c, c the close `period` candles before',
    unit: 'percent',
    parameters: [period(10, 1, 1_000)],
    outputs: [],
    examples: ['roc_10'],
    warmUp: ([length = 10]) => length + 1,
    create: ([length = 10]) => {
      const roc = new ROC(length);
      return fromNumber((close) => {
        const share = roc.update(close, false);
        return share === null ? null : 100 * share;
      });
    },
  },
  {
    family: 'momentum',
    title: 'Momentum',
    description: 'Difference of the close to the close some candles before.',
    formula: 'close − c, c the close `period` candles before',
    unit: 'price',
    parameters: [period(10, 1, 1_000)],
    outputs: [],
    examples: ['momentum_10'],
    warmUp: ([length = 10]) => length + 1,
    create: ([length = 10]) => {
      const momentum = new MOM(length);
      return fromNumber((close) => momentum.update(close, false));
    },
  },
  {
    family: 'cci',
    title: 'Commodity channel index',
    description: 'Distance of the price from its mean, in mean deviations.',
    formula:
      'typical = (high + low + close) ÷ 3; mean = mean of the last `period` typical prices, the newest included; deviation = mean of |typical − mean| over them; ' +
      'cci = (typical − mean) ÷ (0.015 × deviation). No value when the deviation is 0, as it is when all of them are the same',
    unit: 'number',
    parameters: [period(20, 2, 500)],
    outputs: [],
    examples: ['cci_20'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => {
      const cci = new CCI(length);
      const prices = new NumberWindow(length);
      return fromCandle((candle) => {
        prices.push((candle.high + candle.low + candle.close) / 3);
        const value = cci.update(candle, false);
        return prices.flat ? null : value;
      }, length);
    },
  },
  {
    family: 'mfi',
    title: 'Money flow index',
    description: 'Strength of rises against falls, weighted by volume, 0 to 100.',
    formula:
      'typical = (high + low + close) ÷ 3, flow = typical × volume. Over the last `period` candles, the newest included: rising = sum of flows of candles whose typical price is above that of the candle before, ' +
      'falling = the same for below; equal ones count for neither. mfi = 100 × rising ÷ (rising + falling), 50 when both are 0',
    unit: '0 to 100',
    parameters: [period(14, 1, 500)],
    outputs: [],
    examples: ['mfi_14'],
    warmUp: ([length = 14]) => length + 1,
    create: ([length = 14]) => {
      const mfi = new MFI(length);
      return fromCandle((candle) => mfi.update(candle, false), length + 1);
    },
  },
];
