import { describe, expect, test } from 'vitest';
import type { MarketEvent } from '../domain/market-event.ts';
import { simulate } from '../domain/simulation.ts';
import { realFile, realSeries } from '../series/real-series-fixture.ts';
import { CATALOGUE, idPattern } from './catalogue.ts';
import type { Family } from './family.ts';
import { IndicatorEngine } from './indicator-engine.ts';
import { parseIndicatorId } from './indicator-id.ts';
import { PLAIN, type TimedCandle } from './plain-fixture.ts';

/** Every output of a family, with its defaults and with other parameters. */
function idsOf({ family, parameters, outputs }: Family): string[] {
  const defaults = parameters.map(({ defaultValue }) => defaultValue);
  const others = parameters.map(({ defaultValue, maxValue, whole }) => {
    return Math.min(maxValue, whole ? Math.ceil(defaultValue * 1.5) : defaultValue + 0.5);
  });
  const shortest = parameters.map(({ minValue }, at) => (family === 'macd' && at === 1 ? 2 : minValue));
  const sets = parameters.length === 0 ? [[]] : [defaults, others, shortest];
  const endings = outputs.length === 0 ? [''] : outputs.map((output) => `_${output}`);
  return sets.flatMap((values) => endings.map((ending) => [family, ...values].join('_') + ending));
}

function generated(count: number, seed: bigint): MarketEvent[] {
  const settings = { seed, startPrice: '250', intervalMs: 60_000, pumpEvery: 80, crashEvery: 110 };
  return [...simulate(settings, 1_700_000_040_000).take(count)];
}

/** With holes, flat stretches and silence in it. */
function awkward(count: number): MarketEvent[] {
  return generated(count, 9n).flatMap((event, at): MarketEvent[] => {
    if (event.kind !== 'candle' || at % 37 === 5 || (at > 200 && at < 204)) return [];
    if (at % 120 < 30) {
      const flat = { open: 100, high: 100, low: 100, close: 100, volume: 0 };
      return [{ ...event, open: '100', high: '100', low: '100', close: '100', volume: '0', numbers: flat }];
    }
    return [event];
  });
}

function candlesOf(events: readonly MarketEvent[]): TimedCandle[] {
  return events.flatMap((event) => (event.kind === 'candle' ? [{ ...event.numbers, closeTimeMs: event.timeMs }] : []));
}

/** Places where engine and plain implementation disagree: one has a value and the other none, or they differ. */
function disagreements(id: string, events: readonly MarketEvent[]): string[] {
  const { family, parameters, output } = parseIndicatorId(id);
  const plain = PLAIN[family.family]?.(candlesOf(events), parameters, family.outputs[output] ?? '') ?? [];
  const engine = new IndicatorEngine([id]);
  return events.flatMap((event, at) => {
    const [value = Number.NaN] = engine.update(event);
    const expected = plain[at] ?? Number.NaN;
    if (Number.isNaN(value) && Number.isNaN(expected)) return [];
    // Sums are added in other orders; percentages of nearly equal prices keep fewer digits.
    const close = Math.abs(value - expected) <= 1e-7 * Math.max(1, Math.abs(expected));
    return close ? [] : [`candle ${at + 1}: ${value}, by the formula ${expected}`];
  });
}

const all = CATALOGUE.flatMap(idsOf);
const realCandles = realFile('BTC_BUSD-1m-2022-12-13.csv.gz');
const realMonth = realFile('BTC_USDT-1m-2022-01.csv.gz');

describe('every indicator is what its formula says', () => {
  test('there is a plain implementation of each family', () => {
    expect(CATALOGUE.map(({ family }) => family).filter((family) => PLAIN[family] === undefined)).toEqual([]);
  });

  const ordinary = generated(400, 3n);
  test.each(all)('%s on generated prices', (id) => {
    expect(disagreements(id, ordinary)).toEqual([]);
  });

  const odd = awkward(400);
  test.each(all)('%s on prices with gaps and silence', (id) => {
    expect(disagreements(id, odd)).toEqual([]);
  });

  test.skipIf(realCandles === undefined)('all of them on a real day', { timeout: 60_000 }, async () => {
    const { events } = await realSeries(realCandles ?? '');
    expect(events).toHaveLength(1_440);
    expect(all.map((id) => [id, disagreements(id, events)]).filter(([, found]) => found?.length !== 0)).toEqual([]);
  });

  test.skipIf(realMonth === undefined)('the usual ones on the end of a real month', { timeout: 60_000 }, async () => {
    const { events } = await realSeries(realMonth ?? '');
    expect(events).toHaveLength(45_031);
    const part = events.slice(-3_000);
    const usual = CATALOGUE.flatMap(({ examples }) => examples);
    expect(usual.map((id) => [id, disagreements(id, part)]).filter(([, found]) => found?.length !== 0)).toEqual([]);
  });
});

// Sums of twenty times 0.1 or 0.3 are not twenty times as much: rounding would pass for a spread.
describe.each([0.1, 0.3, 2.3, 0.00000007])('where nothing moves, at %d,', (price) => {
  const numbers = { open: price, high: price, low: price, close: price, volume: 1 };
  const events = generated(40, 3n).map((event): MarketEvent => {
    if (event.kind !== 'candle') throw new Error('a candle was generated');
    return { ...event, close: String(price), numbers };
  });
  const newest = (id: string): number => {
    const engine = new IndicatorEngine([id]);
    return events.map((event) => engine.update(event)[0] ?? Number.NaN).at(-1) ?? Number.NaN;
  };

  test.each(['cci_20', 'cci_7', 'bollinger_20_2_percent_b', 'bollinger_20_2.5_percent_b'])('%s has no value', (id) => {
    expect(newest(id)).toBeNaN();
  });

  test('the bands have no width', () => {
    expect(newest('bollinger_20_2_bandwidth')).toBe(0);
    expect(newest('bollinger_20_2_upper')).toBe(newest('bollinger_20_2_lower'));
  });
});

describe('warm-up', () => {
  test.each(all)('%s has its first value exactly when it says', (id) => {
    const { warmUp } = parseIndicatorId(id);
    const engine = new IndicatorEngine([id]);
    const first = generated(warmUp + 5, 5n).findIndex((event) => !Number.isNaN(engine.update(event)[0] ?? Number.NaN));
    expect(first + 1).toBe(warmUp);
  });
});

describe('the catalogue', () => {
  test('gives examples that can be computed, and says everything', () => {
    for (const family of CATALOGUE) {
      expect(family.description).not.toBe('');
      expect(family.formula).not.toBe('');
      expect(idPattern(family)).toMatch(new RegExp(`^${family.family}`));
      for (const example of family.examples) expect(parseIndicatorId(example).family.family).toBe(family.family);
    }
  });
});
