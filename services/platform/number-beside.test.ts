import { expect, test } from 'vitest';
import { numberBeside } from './number-beside.ts';

test.each([
  [1.23456789, 5, 1.23457],
  [17208.88, 17208.9, 17208.88],
  [17208.9, 17208.88, 17208.9],
  [17208.9, 17208.9, 17208.9],
  [69.99999991, 70, 69.9999999],
  [0.10000000000000002, 0.1, 0.10000000000000002],
  [123456.7, 123456.7, 123456.7],
  [-0.00000012345678, 0, -0.000000123457],
  [Number.NaN, 1, Number.NaN],
])('%d beside %d is shown as %d', (actual, other, shown) => {
  expect(numberBeside(actual, other)).toBe(shown);
});
