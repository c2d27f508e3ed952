import { describe, expect, test } from 'vitest';
import { clockTime, spanText } from './span-text.ts';

test.each([
  [-5, '0s'],
  [0, '0s'],
  [50, '0.1s'],
  [1_234, '1.2s'],
  [9_999, '10s'],
  [10_000, '10s'],
  [59_600, '1m'],
  [238_000, '3m58s'],
  [3_600_000, '1h'],
  [3_605_000, '1h'],
  [7_500_000, '2h5m'],
  [86_400_000, '1d'],
  [90_061_000, '1d1h'],
  [7 * 86_400_000, '7d'],
])('%d ms are %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

describe('a moment', () => {
  const nowMs = Date.UTC(2024, 4, 6, 9, 14, 2);

  test('of today is its time', () => {
    expect(clockTime(Date.UTC(2024, 4, 6, 0, 0, 0), nowMs)).toBe('00:00:00');
  });

  test('of another day comes with its date', () => {
    expect(clockTime(Date.UTC(2024, 4, 5, 23, 59, 59), nowMs)).toBe('2024-05-05 23:59:59');
  });
});
