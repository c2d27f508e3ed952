import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lane } from './command.ts';
import { DispatchQueue, type QueueItem } from './dispatch-queue.ts';
import { related } from './ordering-key.ts';

/** What the queue promises, said as plainly as possible. */
class Model {
  readonly items = new Map<string, { readonly item: QueueItem; waiting: boolean }>();

  blockersOf(id: string): string[] {
    const own = this.items.get(id)?.item;
    if (own === undefined || own.overtakes) return [];
    return [...this.items.values()]
      .filter((open) => open.item.sequence < own.sequence && related(open.item.orderingKey, own.orderingKey))
      .toSorted((a, b) => a.item.sequence - b.item.sequence)
      .map((open) => open.item.id);
  }

  ready(): QueueItem[] {
    return [...this.items.values()]
      .filter((open) => open.waiting && this.blockersOf(open.item.id).length === 0)
      .map((open) => open.item)
      .toSorted((a, b) => rankOf(b) - rankOf(a) || a.sequence - b.sequence);
  }
}

/** What overtakes goes before every lane. */
function rankOf({ overtakes, lane }: QueueItem): number {
  return overtakes ? 4 : lane;
}

const KEYS = ['', '/', '/s1', '/s2', '/s1/a', '/s1/a/X', '/s1/a/Y', '/s1/ab/X', '/s1/b', '/s2/a/X', '/s10', '/s10/a/X'];

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      sequence: fc.nat(30),
      orderingKey: fc.constantFrom(...KEYS),
      lane: fc.constantFrom<Lane>(1, 2, 3),
      overtakes: fc.nat(9).map((n) => n === 0),
      waiting: fc.nat(3).map((n) => n > 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), sequence: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('sent' as const), sequence: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('again' as const), sequence: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('send_next' as const), sequence: fc.nat(30) }) },
);

function idOf(sequence: number): string {
  return `c${sequence}`;
}

describe('against a naive model', () => {
  test('adding in any order, sending, sending again and finishing give the same answers', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (path) => {
        const queue = new DispatchQueue();
        const model = new Model();
        for (const step of path) {
          const id = idOf(step.sequence);
          const known = model.items.get(id);
          switch (step.type) {
            case 'add': {
              const { sequence, orderingKey, lane, overtakes, waiting } = step;
              const added = { id, sequence, orderingKey, lane, overtakes };
              queue.add(added, waiting);
              if (known === undefined) model.items.set(id, { item: added, waiting });
              break;
            }
            case 'remove':
              queue.remove(id);
              model.items.delete(id);
              break;
            case 'sent':
            case 'again':
              queue.setWaiting(id, step.type === 'again');
              if (known !== undefined) known.waiting = step.type === 'again';
              break;
            case 'send_next': {
              const next = queue.next();
              if (next === undefined) break;
              queue.setWaiting(next, false);
              const sent = model.items.get(next);
              if (sent !== undefined) sent.waiting = false;
              break;
            }
          }
          const ready = model.ready();
          expect(queue.next()).toBe(ready[0]?.id);
          expect(queue.readyCount).toBe(ready.length);
          expect(queue.size).toBe(model.items.size);
          for (const each of model.items.keys()) {
            expect(queue.has(each)).toBe(true);
            expect(queue.blockersOf(each, 4)).toEqual(model.blockersOf(each).slice(0, 4));
          }
        }
      }),
      { numRuns: 1_500 },
    );
  });
});

function item(sequence: number, orderingKey: string, facts: Partial<QueueItem> = {}): QueueItem {
  return { id: idOf(sequence), sequence, orderingKey, lane: 1, overtakes: false, ...facts };
}

/** Sends and finishes everything, one after the other; gives the order. */
function drain(queue: DispatchQueue): string[] {
  const order: string[] = [];
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    order.push(next);
    queue.setWaiting(next, false);
    queue.remove(next);
  }
  return order;
}

describe('order', () => {
  test('a stop of the session goes after its earlier orders and before its later ones', () => {
    const queue = new DispatchQueue();
    queue.add(item(1, '/s1/a/X'), true);
    queue.add(item(2, '/s1/b/X'), true);
    queue.add(item(3, '/s1', { lane: 2 }), true);
    queue.add(item(4, '/s1/a/X'), true);
    queue.add(item(5, '/s2'), true);
    expect(drain(queue)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5']);
  });

  test('a higher lane overtakes only across unrelated keys', () => {
    const queue = new DispatchQueue();
    queue.add(item(1, '/s1/a/X'), true);
    queue.add(item(2, '/s1/a/X', { lane: 2 }), true);
    queue.add(item(3, '/s2', { lane: 2 }), true);
    queue.add(item(4, '', { lane: 3 }), true);
    expect(drain(queue)).toEqual(['c4', 'c3', 'c1', 'c2']);
  });

  test('what overtakes waits for nothing, and what comes after it waits for it', () => {
    const queue = new DispatchQueue();
    queue.add(item(1, '/s1'), false);
    queue.add(item(2, '/', { lane: 3, overtakes: true }), true);
    queue.add(item(3, '/s2'), true);
    expect(queue.next()).toBe('c2');
    queue.setWaiting('c2', false);
    expect(queue.next()).toBeUndefined();
    queue.remove('c2');
    expect(queue.next()).toBe('c3');
  });

  test('what overtakes goes before every lane', () => {
    const queue = new DispatchQueue();
    queue.add(item(1, '', { lane: 3 }), true);
    queue.add(item(2, '/', { lane: 1, overtakes: true }), true);
    expect(drain(queue)).toEqual(['c2', 'c1']);
  });

  test('one that arrives late and was issued earlier holds back what was ready', () => {
    const queue = new DispatchQueue();
    queue.add(item(10, '/s1'), true);
    queue.add(item(11, '/s1/a/X'), true);
    queue.add(item(12, '/s2'), true);
    queue.add(item(5, '/'), true);
    expect(queue.readyCount).toBe(1);
    queue.setWaiting('c5', false);
    expect(queue.next()).toBeUndefined();
    queue.remove('c5');
    expect(queue.next()).toBe('c10');
    expect(queue.readyCount).toBe(2);
  });
});

describe('with ten thousand queued', () => {
  const count = 10_000;
  /** Asking each command about each other one, at every step, would take 10^12 steps; this leaves room for a slow machine. */
  const timeMsMax = 5_000;

  function measured(name: string, fill: (queue: DispatchQueue) => void): void {
    test(`${name}: filled and emptied within ${timeMsMax} ms`, () => {
      const queue = new DispatchQueue();
      const before = process.cpuUsage();
      fill(queue);
      expect(queue.size).toBe(count);
      const order = drain(queue);
      expect(order.length).toBe(count);
      // Of this process: the clock would measure its neighbours.
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(timeMsMax);
    });
  }

  measured('one key', (queue) => {
    for (let n = 0; n < count; n++) queue.add(item(n, '/s1'), true);
  });
  measured('no key', (queue) => {
    for (let n = 0; n < count; n++) queue.add(item(n, ''), true);
  });
  measured('a key each, with the session between them now and then', (queue) => {
    for (let n = 0; n < count; n++) queue.add(item(n, n % 100 === 0 ? '/s1' : `/s1/a/${n}`), true);
  });
  measured('a key each below the executor’s', (queue) => {
    for (let n = 0; n < count; n++) queue.add(item(n, n % 100 === 0 ? '/' : `/s${n % 50}/a/${n}`), true);
  });
  measured('read in pages after newer ones had come', (queue) => {
    for (let n = count / 2; n < count; n++) queue.add(item(n, `/s${n % 10}/a/X`), true);
    for (let n = 0; n < count / 2; n++) queue.add(item(n, `/s${n % 10}/a/X`), true);
  });
  measured('newest first', (queue) => {
    for (let n = count - 1; n >= 0; n--) queue.add(item(n, n % 7 === 0 ? '' : `/s${n % 10}`), true);
  });
});
