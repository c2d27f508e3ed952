import { expect, test } from 'vitest';
import { FRESHNESS_LIMITS, freshnessAt, thresholdsFor } from './freshness.ts';

test.each([
  ['minutes at live pace', 60_000, 1, { staleMs: 180_000, blindMs: 600_000 }],
  ['minutes, sixty a second', 60_000, 3_600, { staleMs: 5_000, blindMs: 15_000 }],
  ['minutes, one in ten seconds', 60_000, 6, { staleMs: 30_000, blindMs: 100_000 }],
  ['as fast as possible', 60_000, 0, { staleMs: 5_000, blindMs: 15_000 }],
])('thresholds for %s', (_what, intervalMs, speed, expected) => {
  expect(thresholdsFor(FRESHNESS_LIMITS, intervalMs, speed)).toEqual(expected);
});

test('prices are fresh, then stale, then blind, each from its threshold on', () => {
  const thresholds = { staleMs: 10, blindMs: 20 };
  const ages = [0, 9, 10, 19, 20, 1_000, undefined];
  expect(ages.map((ageMs) => freshnessAt(ageMs, thresholds))).toEqual([
    'FRESH',
    'FRESH',
    'STALE',
    'STALE',
    'BLIND',
    'BLIND',
    'BLIND',
  ]);
});
