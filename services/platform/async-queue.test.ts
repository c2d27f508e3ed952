import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AsyncQueue } from './async-queue.ts';

/** Often enough to make what is alive old. Needs `--expose-gc`. */
function collectYoung(): void {
  for (let i = 0; i < 3; i++) runInNewContext("gc({ type: 'minor' })");
}

async function collect<T>(queue: AsyncQueue<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of queue) collected.push(item);
  return collected;
}

describe('AsyncQueue', () => {
  test('gives what was pushed, in order, and ends', async () => {
    const queue = new AsyncQueue<number>({ itemsMax: 10 });
    expect([queue.push(1), queue.push(2)]).toEqual([true, true]);
    const collected = collect(queue);
    queue.push(3);
    queue.end();
    expect(await collected).toEqual([1, 2, 3]);
    expect(queue.push(4)).toBe(false);
  });

  test('refuses what is above its bound, and takes again after a read', async () => {
    const queue = new AsyncQueue<string>({ itemsMax: 2 });
    expect(['a', 'b', 'c'].map((item) => queue.push(item))).toEqual([true, true, false]);
    expect((await queue.next()).value).toBe('a');
    expect(queue.push('d')).toBe(true);
    expect(queue.drain(10)).toEqual(['b', 'd']);
  });

  test('hands an item to a reader that waits even with no room at all', async () => {
    const queue = new AsyncQueue<string>({ itemsMax: 0 });
    const next = queue.next();
    expect([queue.push('a'), queue.push('b')]).toEqual([true, false]);
    expect((await next).value).toBe('a');
  });

  test('fails its reader, waiting or coming, and forgets what was buffered', async () => {
    const waiting = new AsyncQueue<string>({ itemsMax: 2 });
    const next = waiting.next();
    waiting.fail(new Error('broken'));
    await expect(next).rejects.toThrow('broken');
    const buffered = new AsyncQueue<string>({ itemsMax: 2 });
    buffered.push('a');
    buffered.fail(new Error('broken'));
    await expect(buffered.next()).rejects.toThrow('broken');
    expect(() => buffered.drain(1)).toThrow('broken');
    expect(buffered.size).toBe(0);
  });

  test('tells its producer when the reader leaves', async () => {
    let taken = 0;
    const queue = new AsyncQueue<string>({ itemsMax: 5, onTake: () => (taken += 1) });
    queue.push('a');
    queue.push('b');
    for await (const item of queue) {
      expect(item).toBe('a');
      break;
    }
    expect([queue.open, queue.push('c'), queue.size, taken]).toEqual([false, false, 0, 2]);
  });

  test('tells when there is something to drain, and when nothing will come', async () => {
    const queue = new AsyncQueue<string>({ itemsMax: 5 });
    const readable = queue.readable();
    queue.push('a');
    expect(await readable).toBe(true);
    expect(queue.drain(5)).toEqual(['a']);
    const last = queue.readable();
    queue.end();
    expect([await last, await queue.readable()]).toEqual([false, false]);
  });

  test('lets a wait go when its signal aborts, and serves the next wait', async () => {
    const queue = new AsyncQueue<string>({ itemsMax: 5 });
    const gone = new AbortController();
    const abandoned = queue.readable(gone.signal);
    gone.abort();
    expect(await abandoned).toBe(false);
    const readable = queue.readable(new AbortController().signal);
    queue.push('a');
    expect(await readable).toBe(true);
  });

  test('has one reader', async () => {
    const queue = new AsyncQueue<string>({ itemsMax: 1 });
    const next = queue.next();
    await expect(queue.next()).rejects.toThrow('one consumer');
    queue.end();
    await next;
  });

  test('behaves as an array under any mix of pushes, reads and drains', async () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('next' as const), count: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('drain' as const), count: fc.integer({ min: 1, max: 300 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const queue = new AsyncQueue<number>({ itemsMax: 700 });
        const model: number[] = [];
        let pushed = 0;
        for (const { kind, count } of actions) {
          if (kind === 'push') {
            for (let index = 0; index < count; index += 1) {
              const taken = queue.push(pushed);
              expect(taken).toBe(model.length < 700);
              if (taken) model.push(pushed);
              pushed += 1;
            }
          } else if (kind === 'drain') expect(queue.drain(count)).toEqual(model.splice(0, count));
          else {
            for (let index = 0; index < Math.min(count, queue.size); index += 1) {
              expect((await queue.next()).value).toBe(model.shift());
            }
          }
          expect(queue.size).toBe(model.length);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('what was taken goes with the next collection of young objects, however old the queue is', () => {
    setFlagsFromString('--expose-gc');
    const itemBytes = 10_000;
    const queues = Array.from({ length: 500 }, () => new AsyncQueue<Uint8Array>({ itemsMax: 4 }));
    const keptBytes: number[] = [];
    for (let round = 0; round < 4; round++) {
      for (const queue of queues) {
        queue.push(new Uint8Array(itemBytes));
        queue.drain(4);
      }
      collectYoung();
      keptBytes.push(process.memoryUsage().arrayBuffers);
    }
    const growth = keptBytes.slice(1).map((bytes, i) => bytes - (keptBytes[i] ?? 0));
    expect(Math.max(...growth)).toBeLessThan((queues.length * itemBytes) / 4);
  });
});
