import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inTurns, type Turn } from './file-order.ts';

interface Item extends Turn {
  readonly name: string;
}

function item(name: string, busy: boolean, seconds: number, failed = false): Item {
  return { name, busy, durationMs: seconds * 1000, failed };
}

function namesOf(items: readonly Item[]): string {
  return items.map(({ name }) => name).join(' ');
}

describe('inTurns', () => {
  test('fills half of the workers with what is busy, the longest first', () => {
    const items = [
      item('b1', true, 10),
      item('b2', true, 40),
      item('b3', true, 20),
      item('w1', false, 5),
      item('w2', false, 30),
      item('w3', false, 25),
      item('w4', false, 1),
    ];
    // b3 ends first, after 20 s: b1 follows it. w3 is next, after 25 s, then b1 and w2 after 30 s.
    expect(namesOf(inTurns(items, 4))).toBe('b2 b3 w2 w3 b1 w1 w4');
  });

  test('begins with what failed last time', () => {
    const items = [item('b1', true, 10), item('b2', true, 2, true), item('w1', false, 9), item('w2', false, 1, true)];
    expect(namesOf(inTurns(items, 2))).toBe('b2 w2 w1 b1');
  });

  test('loses nothing, whatever there is of either kind', () => {
    const turn = fc.record({ name: fc.string(), busy: fc.boolean(), durationMs: fc.nat(), failed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(turn), fc.integer({ min: 1, max: 8 }), (items, workers) => {
        const order = inTurns(items, workers);
        expect(order).toHaveLength(items.length);
        expect(new Set(order)).toEqual(new Set(items));
      }),
    );
  });
});
