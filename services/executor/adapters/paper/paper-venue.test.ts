import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PaperEntry, type PaperPrice, PaperVenue, type PaperVenueOptions } from './paper-venue.ts';

const Exact = Decimal.clone({ precision: 100 });

function venueOf(options: Partial<PaperVenueOptions> = {}): PaperVenue {
  return new PaperVenue({ initialBalance: '1000', ...options });
}

const entry = (over: Partial<PaperEntry> = {}): PaperEntry => ({
  symbol: 'BTC_USDT',
  side: 'buy',
  quantity: '1',
  price: '100',
  timeMs: 60_000,
  ...over,
});

const candle = (low: string, high: string, close: string, timeMs = 120_000): PaperPrice => ({
  symbol: 'BTC_USDT',
  timeMs,
  low,
  high,
  close,
});

describe('an order on paper', () => {
  test('is dealt at the price when nothing costs anything', () => {
    const venue = venueOf();
    expect(venue.open(entry())).toEqual({
      filled: {
        strategyId: '',
        symbol: 'BTC_USDT',
        side: 'buy',
        quantity: '1',
        price: '100',
        fee: '0',
        timeMs: 60_000,
      },
    });
    expect([venue.balance, venue.equity, venue.freeMargin]).toEqual(['1000', '1000', '900']);
    expect(venue.close({ symbol: 'BTC_USDT', price: '110.1', timeMs: 70_000 })).toMatchObject({
      filled: { side: 'sell', price: '110.1', pnl: '10.1', timeMs: 70_000 },
    });
    expect([venue.balance, venue.equity, venue.freeMargin]).toEqual(['1010.1', '1010.1', '1010.1']);
  });

  test('tells what is tiny as a plain decimal: the platform takes no exponents', () => {
    const venue = venueOf({ feePct: '0.1' });
    expect(venue.open(entry({ quantity: '0.2', price: '0.0000005' }))).toMatchObject({
      filled: { price: '0.0000005', fee: '0.0000000001' },
    });
    expect(venue.close({ symbol: 'BTC_USDT', price: '0.0000006', timeMs: 70_000 })).toMatchObject({
      filled: { price: '0.0000006', pnl: '0.00000002' },
    });
    expect(venue.position('BTC_USDT')).toBeUndefined();
  });

  test('pays half the spread, the slippage and the fee, both ways', () => {
    const venue = venueOf({ feePct: '0.1', spreadPct: '0.2', slippagePct: '0.4' });
    expect(venue.open(entry())).toMatchObject({ filled: { price: '100.5', fee: '0.1005' } });
    expect(venue.balance).toBe('999.8995');
    expect(venue.close({ symbol: 'BTC_USDT', price: '200', timeMs: 70_000 })).toMatchObject({
      filled: { price: '199', fee: '0.199', pnl: '98.5' },
    });
    expect(venue.balance).toBe('1098.2005');
  });

  test.each([
    ['leverage', entry({ leverage: '125.5' }), 'leverage 125.5 is above the 125 that this venue grants'],
    ['balance', entry({ quantity: '11' }), 'the order needs a margin of 1100, and 1000 is free'],
    ['invalid_field', entry({ quantity: '0' }), 'quantity must be a decimal number above zero, and is "0"'],
    ['invalid_field', entry({ quantity: 'NaN' }), 'quantity must be a decimal number above zero, and is "NaN"'],
  ])('is rejected for its %s', (code, order, message) => {
    const venue = venueOf();
    expect(venue.open(order)).toEqual({ rejected: { code, message } });
    expect(venue.equity).toBe('1000');
  });

  test('finds no money in the unrealised profit of another, and less in its loss', () => {
    const venue = venueOf();
    venue.open(entry({ quantity: '5' }));
    venue.onPrice(candle('100', '150', '150'));
    expect(venue.freeMargin).toBe('500');
    venue.onPrice(candle('80', '80', '80', 180_000));
    expect(venue.freeMargin).toBe('400');
  });

  test('closing what is not open is rejected', () => {
    expect(venueOf().close({ symbol: 'BTC_USDT', price: '1', timeMs: 1 })).toMatchObject({
      rejected: { code: 'no_position' },
    });
  });
});

describe('protection of a position', () => {
  const bracket = entry({ stopLossPrice: '95', takeProfitPrice: '110' });

  test.each([
    ['the stop, touched exactly', candle('95', '100', '96'), { reason: 'stop_loss', price: '95', pnl: '-5' }],
    ['the target, touched exactly', candle('99', '110', '99'), { reason: 'take_profit', price: '110', pnl: '10' }],
    ['the stop first when both are touched', candle('95', '110', '105'), { reason: 'stop_loss', price: '95' }],
    ['the stop at its own price, however far it fell', candle('50', '60', '55'), { reason: 'stop_loss', price: '95' }],
  ])('is %s', (_name, price, expected) => {
    const venue = venueOf();
    venue.open(bracket);
    expect(venue.onPrice(price)).toMatchObject([{ ...expected, side: 'sell', timeMs: 120_000 }]);
    expect(venue.position('BTC_USDT')).toBeUndefined();
    expect(venue.onPrice(candle('1', '2', '1', 180_000))).toEqual([]);
  });

  test.each([
    ['just missed both', candle('95.00000001', '109.99999999', '100')],
    ['is of the entry itself', candle('1', '1000', '100', 60_000)],
    ['is of another symbol', { ...candle('1', '1000', '100'), symbol: 'ETH_USDT' }],
  ])('is not what a price triggers that %s', (_name, price) => {
    const venue = venueOf();
    venue.open(bracket);
    expect(venue.onPrice(price)).toEqual([]);
    expect(venue.position('BTC_USDT')).toBeDefined();
  });

  test('works the other way round for a short position', () => {
    const venue = venueOf();
    venue.open(entry({ side: 'sell', stopLossPrice: '105', takeProfitPrice: '90' }));
    expect(venue.onPrice(candle('90', '105', '100'))).toMatchObject([{ reason: 'stop_loss', price: '105', pnl: '-5' }]);
  });

  test('liquidation takes the margin where the loss has eaten it, unless a nearer stop came first', () => {
    const venue = venueOf({ feePct: '1' });
    venue.open(entry({ quantity: '5', leverage: '4', stopLossPrice: '70' }));
    const [fill] = venue.onPrice(candle('60', '100', '65'));
    expect(fill).toMatchObject({ reason: 'liquidation', price: '75', pnl: '-125', fee: '0' });
    const nearer = venueOf();
    nearer.open(entry({ leverage: '4', stopLossPrice: '76' }));
    expect(nearer.onPrice(candle('60', '100', '65'))).toMatchObject([{ reason: 'stop_loss', price: '76' }]);
  });

  test('of an unleveraged position is never a liquidation', () => {
    const venue = venueOf();
    venue.open(entry());
    expect(venue.onPrice(candle('0.00000001', '100', '1'))).toEqual([]);
    expect(venue.equity).toBe('901');
  });
});

test('drawdown is measured from the highest equity, and its worst is kept', () => {
  const venue = venueOf();
  venue.open(entry({ quantity: '10' }));
  venue.onPrice(candle('100', '120', '120'));
  venue.onPrice(candle('90', '120', '90', 180_000));
  expect([venue.peakEquity, venue.drawdownPct, venue.maxDrawdownPct]).toEqual(['1200', '25', '25']);
  venue.onPrice(candle('90', '114', '114', 240_000));
  expect([venue.peakEquity, venue.drawdownPct, venue.maxDrawdownPct]).toEqual(['1200', '5', '25']);
});

test('a price that is none is refused by name', () => {
  expect(() => venueOf().onPrice(candle('101', '100', '100'))).toThrow('"BTC_USDT" has no usable price at 120000');
  expect(() => new PaperVenue({ initialBalance: '0' })).toThrow(
    'the initial balance must be a decimal number above zero',
  );
});

type Step =
  | { readonly kind: 'open'; readonly order: PaperEntry }
  | { readonly kind: 'close'; readonly strategyId: string; readonly share: boolean }
  | { readonly kind: 'price'; readonly prices: readonly [number, number, number] };

const cents = (min: number, max: number) => fc.integer({ min: min * 100, max: max * 100 }).map((n) => n / 100);
const strategyId = fc.constantFrom('a', 'b', 'c');
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc
      .record({
        strategyId,
        side: fc.constantFrom('buy' as const, 'sell' as const),
        quantity: cents(0.01, 20),
        leverage: fc.constantFrom('1', '2', '5', '10'),
        stop: cents(1, 40),
        target: cents(1, 40),
      })
      .map(({ stop, target, quantity, ...rest }): Step => {
        const sign = rest.side === 'buy' ? 1 : -1;
        return {
          kind: 'open',
          order: entry({
            ...rest,
            quantity: String(quantity),
            stopLossPrice: new Exact(100).minus(sign * stop).toString(),
            takeProfitPrice: new Exact(100).plus(sign * target).toString(),
          }),
        };
      }),
    fc.record({ strategyId, share: fc.boolean() }).map((close): Step => ({ kind: 'close', ...close })),
    fc
      .tuple(cents(40, 160), cents(40, 160), cents(40, 160))
      .map(([a, b, c]): Step => ({ kind: 'price', prices: [a, b, c] })),
  ),
  { maxLength: 60 },
);

/** Money as a bookkeeper counts it: every fill moves cash, what is held is worth the last price. */
class Bookkeeper {
  cash = new Exact(1_000);
  readonly held = new Map<string, Decimal>();

  take({
    strategyId: name,
    side,
    quantity,
    price,
    fee,
  }: {
    strategyId: string;
    side: string;
    quantity: string;
    price: string;
    fee: string;
  }): void {
    const signed = new Exact(quantity).times(side === 'buy' ? 1 : -1);
    this.cash = this.cash.minus(signed.times(price)).minus(fee);
    this.held.set(name, (this.held.get(name) ?? new Exact(0)).plus(signed));
  }

  worth(price: string): Decimal {
    return [...this.held.values()].reduce((sum, quantity) => sum.plus(quantity.times(price)), this.cash);
  }
}

describe('whatever is ordered and wherever prices go', () => {
  test('equity is what a bookkeeper finds, entries never overdraw, and nothing is left of a closed position', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom('0', '0.05'), fc.constantFrom('0', '0.1'), (taken, feePct, spreadPct) => {
        const venue = venueOf({ feePct, spreadPct });
        const books = new Bookkeeper();
        let last = '100';
        let timeMs = 0;
        for (const step of taken) {
          timeMs += 1_000;
          if (step.kind === 'open') {
            // One position a name: what is added to one has an averaged price, which is rounded.
            if (venue.position('BTC_USDT', step.order.strategyId) !== undefined) continue;
            const deal = venue.open({ ...step.order, price: last, timeMs });
            if ('filled' in deal) {
              books.take(deal.filled);
              expect(new Exact(venue.freeMargin).gte(0)).toBe(true);
            }
          } else if (step.kind === 'close') {
            const open = venue.position('BTC_USDT', step.strategyId);
            const part = open === undefined ? '1' : new Exact(open.quantity).div(2).toString();
            const deal = venue.close({
              symbol: 'BTC_USDT',
              strategyId: step.strategyId,
              price: last,
              timeMs,
              ...(step.share ? { quantity: part } : {}),
            });
            expect('filled' in deal).toBe(open !== undefined);
            if ('filled' in deal) books.take(deal.filled);
          } else {
            const [low, close, high] = step.prices.toSorted((a, b) => a - b).map(String);
            last = close ?? last;
            for (const fill of venue.onPrice({
              symbol: 'BTC_USDT',
              timeMs,
              low: low ?? last,
              high: high ?? last,
              close: last,
            })) {
              books.take(fill);
              expect(venue.position('BTC_USDT', fill.strategyId)).toBeUndefined();
            }
          }
          expect(venue.equity).toBe(books.worth(last).toString());
          expect(new Exact(venue.peakEquity).gte(venue.equity)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a stop is never passed over: after each price every open position still has its stop and target beyond it', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const venue = venueOf();
        let last = '100';
        let timeMs = 0;
        for (const step of taken) {
          timeMs += 1_000;
          if (step.kind === 'open') venue.open({ ...step.order, price: last, timeMs: timeMs - 1 });
          if (step.kind !== 'price') continue;
          const [low = 0, close = 0, high = 0] = step.prices.toSorted((a, b) => a - b);
          last = String(close);
          venue.onPrice({ symbol: 'BTC_USDT', timeMs, low: String(low), high: String(high), close: last });
          for (const name of ['a', 'b', 'c']) {
            const position = venue.position('BTC_USDT', name);
            if (position === undefined) continue;
            const isLong = Number(position.stopLossPrice) < Number(position.takeProfitPrice);
            const [under, over] = isLong
              ? [position.stopLossPrice, position.takeProfitPrice]
              : [position.takeProfitPrice, position.stopLossPrice];
            expect([low > Number(under), high < Number(over)]).toEqual([true, true]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
