import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKind, KIND_POLICIES } from './kind.ts';
import { contains, type KeyParts, orderingKey, related } from './ordering-key.ts';

const kinds = Object.keys(KIND_POLICIES).filter(isKind);
const full: KeyParts = { sessionId: 's1', strategyId: 'momentum', symbol: 'BTC/USDT' };
const nasty = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 6 }),
  fc.constantFrom('', '/', '%', '%2F', '..', 's1', 's1/a', 'é', '日'),
);
const parts = fc.record({ sessionId: nasty, strategyId: nasty, symbol: nasty });

function keyOf(named: Partial<KeyParts>): string {
  return orderingKey('open_position', { sessionId: '', strategyId: '', symbol: '', ...named });
}

describe('the key of each kind', () => {
  test.each([
    ['start_strategy', '/s1/momentum/BTC%2FUSDT'],
    ['stop_strategy', '/s1/momentum/BTC%2FUSDT'],
    ['pause', '/s1'],
    ['resume', '/s1'],
    ['stop_all', '/'],
    ['get_status', ''],
    ['start_session', '/s1'],
    ['stop_session', '/s1'],
    ['open_position', '/s1/momentum/BTC%2FUSDT'],
    ['close_position', '/s1/momentum/BTC%2FUSDT'],
    ['cancel_orders', '/s1/momentum/BTC%2FUSDT'],
    ['ping', ''],
  ] as const)('%s: %s', (kind, key) => {
    expect(orderingKey(kind, full)).toBe(key);
  });

  test('every kind is in the list above', () => {
    expect(kinds.length).toBe(12);
  });

  test('is as narrow as the parts are named, without a gap', () => {
    expect(keyOf({})).toBe('/');
    expect(keyOf({ sessionId: 's1' })).toBe('/s1');
    expect(keyOf({ sessionId: 's1', symbol: 'X' })).toBe('/s1');
    expect(keyOf({ strategyId: 'a', symbol: 'X' })).toBe('/');
    expect(orderingKey('pause', { sessionId: '', strategyId: 'a', symbol: 'X' })).toBe('/');
  });
});

describe('nesting', () => {
  test('a name cannot forge a level, nor be mistaken for the beginning of another', () => {
    expect(contains('/s1', '/s1/a')).toBe(true);
    expect(contains('/s1', '/s10')).toBe(false);
    expect(related('/s1/a', '/s1/ab')).toBe(false);
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const session = orderingKey('pause', a);
        const instance = orderingKey('open_position', b);
        if (a.sessionId === '') return;
        expect(contains(session, instance)).toBe(a.sessionId === b.sessionId);
      }),
    );
  });

  test('two instances are the same exactly when all their names are', () => {
    const named = fc.record({
      sessionId: nasty.filter((s) => s !== ''),
      strategyId: nasty.filter((s) => s !== ''),
      symbol: nasty.filter((s) => s !== ''),
    });
    fc.assert(
      fc.property(named, named, (a, b) => {
        const same = a.sessionId === b.sessionId && a.strategyId === b.strategyId && a.symbol === b.symbol;
        expect(related(orderingKey('open_position', a), orderingKey('open_position', b))).toBe(same);
      }),
    );
  });

  test('the executor’s key is related to every other, the empty one to none, itself included', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), parts, (kind, names) => {
        const key = orderingKey(kind, names);
        expect(related('/', key)).toBe(key !== '');
        expect(related(key, key)).toBe(key !== '');
        expect(related('', key)).toBe(false);
      }),
    );
  });
});
