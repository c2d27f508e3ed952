import { expect, test } from 'vitest';
import { numberBeside } from './number.ts';

test.each([
  [1.23456789, 5, 1.23457],
  [17208.88, 17208.9, 17208.88],
  [17208.9, 17208.9, 17208.9],
])('%d beside %d is shown as %d', (actual, other, shown) => {
  expect(numberBeside(actual, other)).toBe(shown);
});
