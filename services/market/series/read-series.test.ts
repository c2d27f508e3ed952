import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MarketEvent } from '../domain/market-event.ts';
import { IndicatorEngine } from '../indicators/indicator-engine.ts';
import { readSeries } from './read-series.ts';
import { realFile, realSeries } from './real-series-fixture.ts';

const START_MS = 1_700_000_040_000;
const HEADER = 'timestamp_ms,open,high,low,close,volume';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function line(minute: number, close = 100 + (minute % 7)): string {
  return `${START_MS + minute * 60_000},${close},${close + 1},${close - 1},${close}.50,${10 + (minute % 3)}`;
}

function csv(lines: readonly string[], header = HEADER): Uint8Array {
  return bytes([header, ...lines].join('\n'));
}

async function* inChunks(content: Uint8Array, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.slice(at, at + size);
}

function minutesOf(events: readonly MarketEvent[]): number[] {
  return events.map((event) => (event.kind === 'candle' ? (event.openTimeMs - START_MS) / 60_000 : Number.NaN));
}

const minutes = Array.from({ length: 12 }, (_, at) => at);

describe('a series of candles', () => {
  test('closes each an interval after it opens, and keeps prices as they were written', async () => {
    const series = await readSeries(csv([line(0), line(1), line(2)]));
    expect(series).toMatchObject({ form: 'candles', intervalMs: 60_000, rows: 3 });
    expect(series.events[0]).toMatchObject({ timeMs: START_MS + 60_000, openTimeMs: START_MS, close: '100.50' });
  });

  test('takes exponents, and gives decimals without them: prices become those of orders', async () => {
    const { events } = await readSeries(csv([`${START_MS},5e-7,6.5E-07,0.0000004,5.25e-7,1.5e3`]));
    expect(events[0]).toMatchObject({
      open: '0.0000005',
      high: '0.00000065',
      low: '0.0000004',
      close: '0.000000525',
      volume: '1500',
    });
    const trades = await readSeries(csv([`${START_MS},5e-7,2E2,buy`], 'timestamp_ms,price,amount,side'));
    expect(trades.events[0]).toMatchObject({ price: '0.0000005', amount: '200' });
  });

  test('is the same gzipped, in pieces, with other line ends, quotes, columns in another order and a byte order mark', async () => {
    const plain = csv(minutes.map((minute) => line(minute)));
    const expected = (await readSeries(plain)).events;
    const text = new TextDecoder().decode(plain);
    const shuffled = text
      .split('\n')
      .map((row) => row.split(','))
      .map(([t = '', o = '', h = '', l = '', c = '', v = '']) => [v, 'x', `"${c}"`, l, h, o, t].join(','))
      .join('\r\n');
    for (const other of [
      gzipSync(plain),
      inChunks(gzipSync(plain), 7),
      inChunks(plain, 13),
      bytes(`\uFEFF${shuffled}`),
    ]) {
      expect((await readSeries(other)).events).toEqual(expected);
    }
    expect((await readSeries(gzipSync(plain))).contentDigest).toBe((await readSeries(plain)).contentDigest);
  });

  test.each([
    ['a gap', [0, 1, 4, 5], { gaps: 2 }, [0, 1, 4, 5]],
    ['a duplicate', [0, 1, 1, 2], { duplicates: 1 }, [0, 1, 2]],
    ['a row out of order', [0, 1, 2, 1, 3], { outOfOrder: 1 }, [0, 1, 2, 3]],
    ['two neighbours swapped', [0, 2, 1, 3], { outOfOrder: 1, gaps: 1 }, [0, 2, 3]],
    ['one wild time', [0, 1, 900_000, 2, 3, 4], { outOfOrder: 1 }, [0, 1, 2, 3, 4]],
  ])('counts %s and leaves it out', async (_what, given, stats, left) => {
    const series = await readSeries(csv(given.map((minute) => line(minute))));
    expect(series.stats).toMatchObject({ events: left.length, malformed: 0, ...stats });
    expect(minutesOf(series.events)).toEqual(left);
  });

  test.each([
    ['text for a number', `${START_MS},a,2,1,1,1`, 'open "a" is not a number above 0'],
    ['a price of 0', `${START_MS},1,2,0,1,1`, 'low "0" is not a number above 0'],
    ['a negative price', `${START_MS},-1,2,1,1,1`, 'open "-1" is not a number above 0'],
    ['infinity', `${START_MS},1,Infinity,1,1,1`, 'high "Infinity" is not a number above 0'],
    ['a price beyond any', `${START_MS},1,1e999,1,1,1`, 'high "1e999" is not a number above 0'],
    ['high below low', `${START_MS},1,1,2,1,1`, 'high 1 is below low 2'],
    ['a close outside', `${START_MS},1,2,1,3,1`, 'close 3 is outside of low 1 to high 2'],
    ['an open outside', `${START_MS},3,2,1,1,1`, 'open 3 is outside of low 1 to high 2'],
    ['a negative volume', `${START_MS},1,2,1,1,-1`, 'volume "-1" is not a number of 0 or more'],
    ['missing cells', `${START_MS},1,2`, 'low "" is not a number above 0'],
    ['seconds', `1700000040,1,2,1,1,1`, 'it counts milliseconds'],
    ['a half time', `${START_MS}.5,1,2,1,1,1`, 'is not a whole number of milliseconds'],
    ['a stray quote', `"${START_MS},1,2,1,1,1`, 'is not a whole number of milliseconds'],
    ['a candle within another', `${START_MS + 9 * 60_000 + 30_000},1,2,1,1,1`, 'begins within the candle'],
  ])('counts %s as malformed, says which row, and goes on', async (_what, bad, fault) => {
    const series = await readSeries(csv([...minutes.slice(0, 10).map((minute) => line(minute)), bad, line(11)]));
    expect(series.stats.malformed).toBe(1);
    expect(series.stats.recentFaults[0]).toContain('row 11: ');
    expect(series.stats.recentFaults[0]).toContain(fault);
    expect(minutesOf(series.events)).toEqual([...minutes.slice(0, 10), 11]);
  });

  test.each([
    ['nothing', '', 'is empty'],
    ['other columns', 'a,b\n1,2', 'begins with "a,b"; the first line must be timestamp_ms,open,high,low,close,volume'],
    ['a header alone', HEADER, 'has no usable row; it ends after its first line'],
    ['only rubbish', `${HEADER}\nx,1,1,1,1,1`, 'has no usable row; row 1: timestamp_ms "x"'],
  ])('is refused when there is %s', async (_what, text, fault) => {
    await expect(readSeries(bytes(text))).rejects.toThrow(fault);
  });

  test('is refused when its compression is broken', async () => {
    const broken = gzipSync(csv([line(0)])).subarray(0, 30);
    await expect(readSeries(broken)).rejects.toThrow('cannot be read');
  });
});

describe('a series of trades', () => {
  test('keeps trades of one moment, and counts what is out of order or malformed', async () => {
    const rows = ['1,0.5,2,sell', '1,0.5,2,sell', '5,0.6,1,BUY', '3,0.7,1,buy', '6,0.6,1,', '7,0,1,buy', '8,1,1,hold'];
    const trades = rows.map((row) => `170000000000${row}`);
    const series = await readSeries(csv(trades, 'timestamp_ms,price,amount,side'));
    expect(series).toMatchObject({ form: 'trades', intervalMs: undefined });
    expect(series.stats).toMatchObject({ events: 4, duplicates: 0, outOfOrder: 1, malformed: 2, gaps: 0 });
    expect(series.events[2]).toMatchObject({ kind: 'trade', price: '0.6', side: 'buy', timeMs: 1_700_000_000_005 });
  });

  const real = realFile('XRP_ETH-trades-2019-10.csv.gz');
  test.skipIf(real === undefined)('of a real market is read as a whole', async () => {
    const { events, stats } = await realSeries(real ?? '');
    expect(events).toHaveLength(12_477);
    expect(stats).toMatchObject({ outOfOrder: 0, malformed: 0, gaps: 0 });
  });
});

/** Rows that must be left out wherever they stand among good ones. */
const faulty = fc.oneof(
  fc.string({ maxLength: 30 }).map((text) => `x${text.replaceAll(/[\r\n]/g, ' ')}`),
  fc.constantFrom(
    'NaN,1,1,1,1,1',
    `${START_MS},1,1,1,1`,
    `${START_MS},5,4,6,5,1`,
    `${START_MS},0,0,0,0,0`,
    '"',
    '",",",',
  ),
  fc.integer({ min: 0, max: 59 }).map((minute) => line(minute - 100, 1_000_000)),
);

describe('faulty rows', () => {
  test('never change what is computed from the rows around them', async () => {
    const good = Array.from({ length: 60 }, (_, minute) => line(minute, 100 + ((minute * 31) % 17)));
    const ids = [
      'ema_5',
      'rsi_5',
      'atr_5',
      'adx_5',
      'bollinger_5_2_upper',
      'pump_magnitude_pct',
      'volume_surge_ratio_5',
    ];
    const computed = (events: readonly MarketEvent[]): number[][] => {
      const engine = new IndicatorEngine(ids);
      return events.map((event) => [...engine.update(event)]);
    };
    const expected = computed((await readSeries(csv(good))).events);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 3, max: 56 }), faulty), { maxLength: 12 }), async (bad) => {
        const rows = good.flatMap((row, at) => [row, ...bad.flatMap(([place, text]) => (place === at ? [text] : []))]);
        const series = await readSeries(csv(rows));
        expect(computed(series.events)).toEqual(expected);
        const { malformed, outOfOrder, duplicates } = series.stats;
        expect(malformed + outOfOrder + duplicates).toBe(rows.length - good.length);
      }),
      { numRuns: 200 },
    );
  });

  test('three late rows in a row do not make the good one before them look wild', async () => {
    const good = Array.from({ length: 12 }, (_, minute) => line(minute, 100 + minute));
    const late = line(-101, 1_000_000);
    const series = await readSeries(csv([...good.slice(0, 8), late, late, late, ...good.slice(8)]));
    expect(series.events).toEqual((await readSeries(csv(good))).events);
    expect(series.stats.outOfOrder).toBe(3);
  });
});
