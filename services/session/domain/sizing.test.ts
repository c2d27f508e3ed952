import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EntryOrder, type EntryRejection, type EntryTerms, entryOrder } from './sizing.ts';

function entered(result: EntryOrder | EntryRejection): EntryOrder {
  if ('rejected' in result) throw new Error(`rejected: ${result.message}`);
  return result;
}

function reasonOf(result: EntryOrder | EntryRejection): string {
  return 'rejected' in result ? result.rejected : 'entered';
}

const percent = (value: number): EntryTerms => ({ z1Entry: { positionSize: { type: 'percentage', value } } });

describe('the size of an entry', () => {
  test('is a percentage of the equity', () => {
    expect(entryOrder(percent(2), '10000', '16725.42')).toEqual({
      quantity: '0.01195784',
      stopLossPrice: '',
      takeProfitPrice: '',
      leverage: '1',
      margin: '200',
    });
  });

  test('is a fixed amount', () => {
    const terms: EntryTerms = { z1Entry: { positionSize: { type: 'fixed', value: 150 } } };
    expect(entered(entryOrder(terms, '10000', '3')).quantity).toBe('50');
  });

  test('is the base fraction where the entry names none', () => {
    expect(entered(entryOrder({ globalLimits: { basePositionPct: 0.02 } }, '500', '10')).quantity).toBe('1');
  });

  test('grows with the leverage, and its margin does not', () => {
    const terms: EntryTerms = {
      z1Entry: { positionSize: { type: 'percentage', value: 10 }, leverage: 3 },
      globalLimits: { maxLeverage: 3 },
    };
    expect(entered(entryOrder(terms, '1000', '7'))).toMatchObject({
      quantity: '42.85714285',
      leverage: '3',
      margin: '100',
    });
  });

  test('is rounded down to eight decimals', () => {
    expect(entered(entryOrder(percent(100), '2', '3')).quantity).toBe('0.66666666');
  });
});

describe('stop and target', () => {
  const terms: EntryTerms = {
    z1Entry: {
      positionSize: { type: 'percentage', value: 1 },
      stopLoss: { enabled: true, offsetPercent: 5 },
      takeProfit: { enabled: true, offsetPercent: 10 },
    },
  };

  test('lie by their offsets from the price', () => {
    expect(entered(entryOrder(terms, '1000', '100'))).toMatchObject({ stopLossPrice: '95', takeProfitPrice: '110' });
  });

  test('are rounded half up to eight decimals', () => {
    const offset = { enabled: true, offsetPercent: 50 };
    const half: EntryTerms = { z1Entry: { ...terms.z1Entry, stopLoss: offset, takeProfit: offset } };
    expect(entered(entryOrder(half, '1000', '0.00000003'))).toMatchObject({
      stopLossPrice: '0.00000002',
      takeProfitPrice: '0.00000005',
    });
  });

  test('are left out where they are not enabled', () => {
    const off: EntryTerms = { z1Entry: { ...terms.z1Entry, stopLoss: { enabled: false, offsetPercent: 5 } } };
    expect(entered(entryOrder(off, '1000', '100')).stopLossPrice).toBe('');
  });
});

describe('an entry is rejected', () => {
  test.each<[string, EntryTerms, string, string, string | undefined]>([
    ['no_size', {}, '1000', '10', undefined],
    [
      'leverage_limit',
      { z1Entry: { leverage: 2, positionSize: { type: 'fixed', value: 1 } } },
      '1000',
      '10',
      undefined,
    ],
    ['equity_exhausted', { z1Entry: { positionSize: { type: 'fixed', value: 1_001 } } }, '1000', '10', undefined],
    ['equity_exhausted', percent(50), '1000', '10', '499.99'],
    ['equity_exhausted', percent(2), '-3', '10', undefined],
    ['equity_exhausted', percent(2), '0', '10', undefined],
    ['quantity_zero', percent(1), '0.0001', '1000000', undefined],
    [
      'stop_price',
      { z1Entry: { positionSize: { type: 'fixed', value: 1 }, stopLoss: { enabled: true, offsetPercent: 100 } } },
      '1000',
      '10',
      undefined,
    ],
    // To eight decimals these are the entry's own price: the next price would end what has just begun.
    [
      'stop_price',
      { z1Entry: { positionSize: { type: 'fixed', value: 1 }, stopLoss: { enabled: true, offsetPercent: 0.3 } } },
      '1000',
      '0.00000123',
      undefined,
    ],
    [
      'target_price',
      { z1Entry: { positionSize: { type: 'fixed', value: 1 }, takeProfit: { enabled: true, offsetPercent: 40 } } },
      '1000',
      '0.00000001',
      undefined,
    ],
    [
      'target_price',
      { z1Entry: { positionSize: { type: 'fixed', value: 1 }, takeProfit: { enabled: true, offsetPercent: 10 } } },
      '1000',
      '0.000000003',
      undefined,
    ],
  ])('%s: %j with equity %s at %s', (reason, terms, equity, price, free) => {
    expect(reasonOf(entryOrder(terms, equity, price, free))).toBe(reason);
  });
});

const money = fc
  .tuple(fc.integer({ min: 1, max: 1_000_000_000 }), fc.integer({ min: 0, max: 8 }))
  .map(([digits, places]) => new Decimal(digits).div(new Decimal(10).pow(places)).toFixed());

describe('for every entry', () => {
  test('the cost never exceeds margin times leverage, and one more unit of the last place would', () => {
    fc.assert(
      fc.property(
        money,
        money,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 125 }),
        (equity, price, value, leverage) => {
          const result = entryOrder(
            { z1Entry: { positionSize: { type: 'percentage', value }, leverage }, globalLimits: { maxLeverage: 125 } },
            equity,
            price,
          );
          if ('rejected' in result) {
            expect(result.rejected).toBe('quantity_zero');
            return;
          }
          const Exact = Decimal.clone({ precision: 100 });
          const bought = new Exact(result.margin).times(leverage);
          expect(new Exact(result.quantity).times(price).lte(bought)).toBe(true);
          expect(new Exact(result.quantity).plus('0.00000001').times(price).gt(bought)).toBe(true);
          expect(new Exact(result.margin).lte(equity)).toBe(true);
        },
      ),
    );
  });

  test('every amount is written without an exponent, with at most eight decimals where it goes to a venue', () => {
    fc.assert(
      fc.property(money, fc.double({ min: 0.001, max: 99, noNaN: true }), (price, offsetPercent) => {
        const exit = { enabled: true, offsetPercent };
        const result = entryOrder(
          { z1Entry: { positionSize: { type: 'fixed', value: 1e12 }, stopLoss: exit, takeProfit: exit } },
          '1e13',
          price,
        );
        if ('rejected' in result) {
          expect(['stop_price', 'target_price']).toContain(result.rejected);
          return;
        }
        for (const value of [result.quantity, result.stopLossPrice, result.takeProfitPrice]) {
          expect(value).toMatch(/^\d+(\.\d{1,8})?$/);
        }
        expect(new Decimal(result.stopLossPrice).lt(price)).toBe(true);
        expect(new Decimal(result.takeProfitPrice).gt(price)).toBe(true);
      }),
    );
  });
});
