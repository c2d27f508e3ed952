import type { CandleNumbers } from '../domain/market-event.ts';
import type { Computation } from './computation.ts';
import type { Family } from './family.ts';

function oneValue(of: (candle: CandleNumbers) => number): Computation {
  const values = new Float64Array([Number.NaN]);
  return {
    values,
    update(candle) {
      values[0] = of(candle);
    },
  };
}

function field(
  family: string,
  title: string,
  description: string,
  formula: string,
  unit: string,
  of: (candle: CandleNumbers) => number,
): Family {
  return {
    family,
    title,
    description,
    formula,
    unit,
    parameters: [],
    outputs: [],
    examples: [family],
    warmUp: () => 1,
    create: () => oneValue(of),
  };
}

/** Id of the one indicator that is not made of candles where there are trades. */
export const PRICE = 'price';

/** What stands in the newest candle. */
export const FIELD_FAMILIES: readonly Family[] = [
  field(
    PRICE,
    'Price',
    'The price itself: the close of a candle, or the price of a trade.',
    'close of the candle; in a series of trades the price of the trade being evaluated',
    'price',
    (candle) => candle.close,
  ),
  field('open', 'Open', 'Open of the newest closed candle.', 'open', 'price', (candle) => candle.open),
  field('high', 'High', 'High of the newest closed candle.', 'high', 'price', (candle) => candle.high),
  field('low', 'Low', 'Low of the newest closed candle.', 'low', 'price', (candle) => candle.low),
  field('close', 'Close', 'Close of the newest closed candle.', 'close', 'price', (candle) => candle.close),
  field('volume', 'Volume', 'Volume of the newest closed candle.', 'volume', 'volume', (candle) => candle.volume),
  field(
    'candle_change_pct',
    'Change within the candle',
    'How far the close lies above the open of the same candle.',
    '100 × (close ÷ open − 1)',
    'percent',
    (candle) => 100 * (candle.close / candle.open - 1),
  ),
  field(
    'candle_range_pct',
    'Range of the candle',
    'How far the high lies above the low of the same candle.',
    '100 × (high ÷ low − 1)',
    'percent',
    (candle) => 100 * (candle.high / candle.low - 1),
  ),
];
