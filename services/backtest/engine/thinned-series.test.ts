import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ThinnedSeries } from './thinned-series.ts';

test('few points are kept as they are', () => {
  const series = new ThinnedSeries(100);
  for (const [timeMs, value] of [
    [0, 3],
    [60_000, 1],
    [120_000, 2],
  ] as const) {
    series.add(timeMs, value);
  }
  expect(series.points()).toEqual([
    { timeMs: 0, value: 3 },
    { timeMs: 60_000, value: 1 },
    { timeMs: 120_000, value: 2 },
  ]);
});

test('however long a series is, its ends and extremes stay, in order, within twice the bound', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ stepMs: fc.integer({ min: 1, max: 600_000 }), value: fc.double({ noNaN: true }) }), {
        minLength: 1,
        maxLength: 2_000,
      }),
      (steps) => {
        const series = new ThinnedSeries(40);
        let timeMs = 0;
        for (const { stepMs, value } of steps) series.add((timeMs += stepMs), value);
        const kept = series.points();
        const values = steps.map(({ value }) => value);
        expect(kept.length).toBeLessThanOrEqual(80);
        expect(Math.min(...kept.map(({ value }) => value))).toBe(Math.min(...values));
        expect(Math.max(...kept.map(({ value }) => value))).toBe(Math.max(...values));
        expect(kept.at(-1)).toEqual({ timeMs, value: values.at(-1) });
        expect(kept.map((point) => point.timeMs)).toEqual(kept.map((point) => point.timeMs).toSorted((a, b) => a - b));
      },
    ),
  );
});
