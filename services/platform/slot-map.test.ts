import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlotMap } from './slot-map.ts';

test('behaves as a Map does', () => {
  const key = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 200 }));
  const step = fc.oneof(
    fc.record({ type: fc.constant('set' as const), key, value: fc.string() }),
    fc.record({ type: fc.constant('delete' as const), key }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const map = new Map<number, string>();
      const slots = new SlotMap<number, string>();
      for (const each of steps) {
        if (each.type === 'set') {
          map.set(each.key, each.value);
          slots.set(each.key, each.value);
        } else expect(slots.delete(each.key)).toBe(map.delete(each.key));
        expect(slots.size).toBe(map.size);
        expect(slots.get(each.key)).toBe(map.get(each.key));
        expect(slots.has(each.key)).toBe(map.has(each.key));
      }
      expect([...slots.values()]).toEqual([...map.values()]);
    }),
  );
});

test('what is deleted while the values are read is left out, what is added is seen', () => {
  const slots = new SlotMap<string, number>();
  for (const [i, name] of ['a', 'b', 'c'].entries()) slots.set(name, i);
  const read: number[] = [];
  for (const value of slots.values()) {
    read.push(value);
    slots.delete('b');
    if (value === 0) slots.set('d', 3);
  }
  expect(read).toEqual([0, 2, 3]);
});

test('is read while it grows beyond one', () => {
  const slots = new SlotMap<string, number>();
  slots.set('a', 0);
  const read: number[] = [];
  for (const value of slots.values()) {
    read.push(value);
    if (value === 0) slots.set('b', 1);
  }
  expect(read).toEqual([0, 1]);
});

test('is read while it is emptied and filled again', () => {
  const slots = new SlotMap<string, number>();
  for (const [i, name] of ['a', 'b', 'c'].entries()) slots.set(name, i);
  const read: number[] = [];
  for (const value of slots.values()) {
    read.push(value);
    for (const name of ['a', 'b', 'c']) slots.delete(name);
    slots.set('d', 3);
  }
  expect(read).toEqual([0]);
  expect([...slots.values()]).toEqual([3]);
});

test('is filled again after a burst', () => {
  const slots = new SlotMap<number, number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1_000; i++) slots.set(i, round);
    for (let i = 0; i < 1_000; i++) expect(slots.delete(i)).toBe(true);
    expect(slots.size).toBe(0);
  }
});
