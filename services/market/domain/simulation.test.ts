import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndicatorEngine } from '../indicators/indicator-engine.ts';
import { simulate, simulatedCandle, type SimulationSettings } from './simulation.ts';

const START_MS = 1_700_000_040_000;

function settings(over: Partial<SimulationSettings> = {}): SimulationSettings {
  return { seed: 7n, startPrice: '100', intervalMs: 60_000, pumpEvery: 60, crashEvery: 90, ...over };
}

test('the same seed gives the same candles, from wherever it goes on', () => {
  const all = [...simulate(settings(), START_MS).take(500)];
  expect([...simulate(settings(), START_MS).take(500)]).toEqual(all);
  expect([...simulate(settings(), START_MS, 200, all[199]?.close).take(300)]).toEqual(all.slice(200));
  expect(simulatedCandle(settings(), START_MS, 321, all[320]?.close)).toEqual(all[321]);
  expect([...simulate(settings({ seed: 8n }), START_MS).take(500)]).not.toEqual(all);
});

test('every candle is well formed, whatever the settings', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom('100', '0.00001234', '38000.5', '1', '0.1', '999999999'),
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 0, max: 200 }),
      (seed, startPrice, pumpEvery, crashEvery) => {
        let close: string | undefined;
        const made = settings({ seed, startPrice, pumpEvery, crashEvery });
        for (const [at, candle] of [...simulate(made, START_MS).take(120)].entries()) {
          const { open, high, low, volume, numbers } = candle;
          expect(candle.openTimeMs).toBe(START_MS + at * 60_000);
          if (close !== undefined) expect(open).toBe(close);
          expect(numbers.low).toBeGreaterThan(0);
          expect(numbers.low).toBeLessThanOrEqual(Math.min(numbers.open, numbers.close));
          expect(numbers.high).toBeGreaterThanOrEqual(Math.max(numbers.open, numbers.close));
          expect([high, low, volume].every((text) => /^\d+(\.\d+)?$/.test(text))).toBe(true);
          close = candle.close;
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('pumps and crashes come about as often as they are asked for, and the price stays in sight of its start', () => {
  const engine = new IndicatorEngine(['pump_magnitude_pct']);
  const counts = { pump: 0, crash: 0 };
  let state = 'calm';
  const closes: number[] = [];
  for (const candle of simulate(settings(), START_MS).take(30_000)) {
    const [move = 0] = engine.update(candle);
    closes.push(candle.numbers.close);
    const now = move >= 4 ? 'pump' : move <= -4 ? 'crash' : 'calm';
    if (now !== state && now !== 'calm') counts[now === 'pump' ? 'pump' : 'crash'] += 1;
    state = now;
  }
  // 500 and 333 begin; some fall into one another.
  expect(counts.pump).toBeGreaterThan(300);
  expect(counts.pump).toBeLessThan(700);
  expect(counts.crash).toBeGreaterThan(180);
  expect(counts.crash).toBeLessThan(500);
  expect(Math.min(...closes)).toBeGreaterThan(50);
  expect(Math.max(...closes)).toBeLessThan(200);
});

test('without pumps and crashes there are none', () => {
  const engine = new IndicatorEngine(['pump_magnitude_pct']);
  const calm = simulate(settings({ pumpEvery: 0, crashEvery: 0 }), START_MS).take(5_000);
  const moves = [...calm].map((candle) => engine.update(candle)[0] ?? Number.NaN).filter((move) => !Number.isNaN(move));
  expect(Math.max(...moves.map(Math.abs))).toBeLessThan(1.5);
});
