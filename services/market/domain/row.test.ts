import { expect, test } from 'vitest';
import { readCandleRow } from './row.ts';

const MINUTE = '1700000000000';

test('a volume that is nothing but the dust of a sum costs no candle', () => {
  const row = readCandleRow(MINUTE, '1', '2', '0.5', '1.5', '1.7763568394002505e-26');
  expect(row).toMatchObject({ close: '1.5', volume: '0.000000000000000000000000017763568394' });
  expect(readCandleRow(MINUTE, '1', '2', '0.5', '1.5', '4.9e-324')).toMatchObject({ volume: '0' });
});

test('a price with more places than are kept is refused, not rounded', () => {
  const price = '1.7763568394002505e-26';
  expect(readCandleRow(MINUTE, price, price, price, price, '1')).toEqual({
    fault: `open ${JSON.stringify(price)} is not a number above 0`,
  });
});
