import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { related } from './ordering-key.ts';
import { TurnedAway } from './turned-away.ts';

const keys = fc.constantFrom('', '/', '/s1', '/s10', '/s1/a', '/s1/a/X', '/s1/a/Y', '/s1/ab', '/s2/a/X');

describe('commands that wait', () => {
  test('hold back exactly what has a related key', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 6 }), keys, (waiting, key) => {
        const away = new TurnedAway();
        for (const [i, orderingKey] of waiting.entries()) away.add({ sequence: 1 + i, orderingKey });
        const expected = waiting.some((other) => related(other, key));
        expect(away.holdBack({ sequence: 100, orderingKey: key }, 0)).toBe(expected);
      }),
    );
  });

  test('are forgotten when their batch is stored', () => {
    const away = new TurnedAway();
    away.add({ sequence: 5, orderingKey: '/s1' });
    expect(away.holdBack({ sequence: 6, orderingKey: '/s1' }, 4)).toBe(true);
    expect(away.holdBack({ sequence: 7, orderingKey: '/s1' }, 5)).toBe(false);
  });

  test('are forgotten when a batch begins anew with their numbers', () => {
    const away = new TurnedAway();
    away.add({ sequence: 5, orderingKey: '/s1' });
    expect(away.holdBack({ sequence: 5, orderingKey: '/s1' }, 4)).toBe(false);
    expect(away.holdBack({ sequence: 6, orderingKey: '/s1' }, 4)).toBe(false);
  });
});
