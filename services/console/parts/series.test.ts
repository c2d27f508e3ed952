import { expect, test } from 'vitest';
import { aligned } from './series.ts';

test('series share one axis of time, with nothing where one has no value', () => {
  const prices = [
    { at: 1, value: 10 },
    { at: 3, value: 30 },
  ];
  const marks = [{ at: 2, value: 5 }];
  expect(aligned([prices, marks])).toEqual({
    times: [1, 2, 3],
    values: [
      [10, null, 30],
      [null, 5, null],
    ],
  });
});
