import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SequenceSet } from './sequence-set.ts';

const operations = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), value: fc.nat(40) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('remove' as const), value: fc.nat(40) }) },
    fc.record({ type: fc.constant('below' as const), value: fc.nat(45) }),
  ),
  { maxLength: 120 },
);

describe('against a plain set', () => {
  test('adding, removing and reading in any order give the same', () => {
    fc.assert(
      fc.property(operations, (path) => {
        const set = new SequenceSet();
        const model = new Set<number>();
        for (const { type, value } of path) {
          if (type === 'add') {
            set.add(value);
            model.add(value);
          } else if (type === 'remove' && model.has(value)) {
            set.remove(value);
            model.delete(value);
          }
          const ascending = [...model].toSorted((a, b) => a - b);
          expect(set.min()).toBe(ascending[0]);
          expect(set.size).toBe(model.size);
          expect(set.below(value, 3)).toEqual(ascending.filter((n) => n < value).slice(0, 3));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('tens of thousands come and go, in order and back, while the front is cut off', () => {
    const set = new SequenceSet();
    for (let n = 0; n < 50_000; n++) set.add(n);
    for (let n = 1; n < 50_000; n += 2) set.remove(n);
    expect(set.size).toBe(25_000);
    for (let n = 0; n < 49_998; n += 2) {
      expect(set.min()).toBe(n);
      set.remove(n);
      // Written again after a failure: the number comes back behind the front.
      if (n % 10_000 === 0) {
        set.add(n);
        expect(set.min()).toBe(n);
        set.remove(n);
      }
    }
    expect(set.below(Infinity, 10)).toEqual([49_998]);
    set.remove(49_998);
    expect([set.size, set.min()]).toEqual([0, undefined]);
  });
});
