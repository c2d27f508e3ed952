import { valueOf } from './averages.ts';
import { CloseAgo, type Computation, ExtremeWindow, SpreadWindow } from './computation.ts';
import { type Family, type Parameter, period } from './family.ts';

const MINUTE_MS = 60_000;
const MINUTES_MAX = 1_440;

function minutes(defaultValue: number): Parameter {
  return {
    name: 'minutes',
    defaultValue,
    minValue: 1,
    maxValue: MINUTES_MAX,
    whole: true,
    description: 'minutes of market time that are looked back',
  };
}

/** By hand: the library's bands make two arrays a candle, and took a third of the time of a usual set of indicators. */
function bollinger([length = 20, deviations = 2]: readonly number[]): Computation {
  const window = new SpreadWindow(length);
  const values = new Float64Array(5).fill(Number.NaN);
  return {
    values,
    update({ close }) {
      window.push(close);
      if (!window.full) return;
      const middle = window.sum() / length;
      const reach = window.flat ? 0 : deviations * Math.sqrt(window.variance(middle));
      const [upper, lower] = [middle + reach, middle - reach];
      values[0] = upper;
      values[1] = middle;
      values[2] = lower;
      values[3] = (100 * (upper - lower)) / middle;
      values[4] = upper === lower ? Number.NaN : (close - lower) / (upper - lower);
    },
  };
}

/** 100 × (close ÷ close of `minutes` before − 1), divided by `per`. */
function sinceMinutes(minutesBack: number, per: number): Computation {
  const closes = new CloseAgo(minutesBack * MINUTE_MS);
  const values = new Float64Array([Number.NaN]);
  return {
    values,
    update({ close }, closeTimeMs) {
      values[0] = valueOf((100 * (close / closes.push(close, closeTimeMs) - 1)) / per);
    },
  };
}

function extreme(length: number, sign: 1 | -1, of: (extreme: number, close: number) => number): Computation {
  const window = new ExtremeWindow(length, sign);
  const values = new Float64Array([Number.NaN]);
  return {
    values,
    update({ high, low, close }) {
      values[0] = valueOf(of(window.push(sign === 1 ? high : low), close));
    },
  };
}

/** Bands, extremes, and moves within a span of time. */
export const EXTREME_FAMILIES: readonly Family[] = [
  {
    family: 'bollinger',
    title: 'Bollinger bands',
    description: 'A mean of closes and bands around it that widen with their spread.',
    formula:
      'middle = mean of the last `period` closes, the newest included; s = square root of the mean of (close − middle)² over the same closes (population deviation: divided by `period`), 0 when all of them are the same; ' +
      'upper = middle + deviations × s; lower = middle − deviations × s; bandwidth = 100 × (upper − lower) ÷ middle; percent_b = (close − lower) ÷ (upper − lower), no value when upper = lower',
    unit: 'price (bandwidth: percent; percent_b: ratio)',
    parameters: [
      period(20, 2, 1_000),
      {
        name: 'deviations',
        defaultValue: 2,
        minValue: 0.1,
        maxValue: 10,
        whole: false,
        description: 'how many deviations the bands lie from the middle',
      },
    ],
    outputs: ['upper', 'middle', 'lower', 'bandwidth', 'percent_b'],
    examples: ['bollinger_20_2_upper', 'bollinger_20_2_lower', 'bollinger_20_2.5_bandwidth'],
    warmUp: ([length = 20]) => length,
    create: bollinger,
  },
  {
    family: 'highest',
    title: 'Highest high',
    description: 'The highest high of the last candles.',
    formula: 'greatest high of the last `period` candles, the newest included',
    unit: 'price',
    parameters: [period(20, 1, 1_440)],
    outputs: [],
    examples: ['highest_20'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => extreme(length, 1, (highest) => highest),
  },
  {
    family: 'lowest',
    title: 'Lowest low',
    description: 'The lowest low of the last candles.',
    formula: 'smallest low of the last `period` candles, the newest included',
    unit: 'price',
    parameters: [period(20, 1, 1_440)],
    outputs: [],
    examples: ['lowest_20'],
    warmUp: ([length = 20]) => length,
    create: ([length = 20]) => extreme(length, -1, (lowest) => lowest),
  },
  {
    family: 'drawdown_pct',
    title: 'Drawdown',
    description: 'How far the close lies below the highest high of the last candles.',
    formula: '100 × (1 − close ÷ highest high of the last `period` candles, the newest included)',
    unit: 'percent',
    parameters: [period(60, 1, 1_440)],
    outputs: [],
    examples: ['drawdown_pct_60'],
    warmUp: ([length = 60]) => length,
    create: ([length = 60]) => extreme(length, 1, (highest, close) => 100 * (1 - close / highest)),
  },
  {
    family: 'rebound_pct',
    title: 'Rebound',
    description: 'How far the close lies above the lowest low of the last candles.',
    formula: '100 × (close ÷ lowest low of the last `period` candles, the newest included, − 1)',
    unit: 'percent',
    parameters: [period(60, 1, 1_440)],
    outputs: [],
    examples: ['rebound_pct_60'],
    warmUp: ([length = 60]) => length,
    create: ([length = 60]) => extreme(length, -1, (lowest, close) => 100 * (close / lowest - 1)),
  },
  {
    family: 'pump_magnitude_pct',
    title: 'Pump magnitude',
    description: 'How far the price has risen within some minutes; negative when it fell.',
    formula:
      '100 × (close ÷ c − 1), c the close of the candle that closed exactly `minutes` minutes before this one closed. No value when there is no such candle, so a gap is never a pump',
    unit: 'percent',
    parameters: [minutes(5)],
    outputs: [],
    examples: ['pump_magnitude_pct', 'pump_magnitude_pct_15'],
    warmUp: ([back = 5]) => back + 1,
    create: ([back = 5]) => sinceMinutes(back, 1),
  },
  {
    family: 'price_velocity',
    title: 'Price velocity',
    description: 'How fast the price moves; negative when it falls.',
    formula:
      '100 × (close ÷ c − 1) ÷ minutes, c the close of the candle that closed exactly `minutes` minutes before this one closed. No value when there is no such candle',
    unit: 'percent a minute',
    parameters: [minutes(1)],
    outputs: [],
    examples: ['price_velocity', 'price_velocity_5'],
    warmUp: ([back = 1]) => back + 1,
    create: ([back = 1]) => sinceMinutes(back, back),
  },
];
