import { expect, test } from 'vitest';
import { lineTimeText, spanText, whenText } from './time.ts';

const NOON = new Date(2026, 0, 31, 12, 0, 0).getTime();

test('what was not today says its day', () => {
  const yesterday = new Date(2026, 0, 30, 23, 50, 1).getTime();
  expect(whenText(yesterday, NOON)).toMatch(/2026.* 23:50:01$/);
  expect(whenText(NOON - 1_000, NOON)).toBe('11:59:59');
  expect(lineTimeText(yesterday, NOON)).toMatch(/30.* 23:50$/);
  expect(lineTimeText(new Date(2025, 11, 31, 23, 50).getTime(), NOON)).toMatch(/2025/);
  expect(lineTimeText(NOON - 1_000, NOON)).toBe('11:59:59');
});

test('a span is rounded within its unit', () => {
  expect(spanText(9.97)).toBe('10 ms');
  expect(spanText(999.7)).toBe('1.0 s');
  expect(spanText(59_970)).toBe('1m 0s');
});
