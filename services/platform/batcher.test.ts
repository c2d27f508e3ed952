import { describe, expect, test } from 'vitest';
import { Batcher } from './batcher.ts';

/** A flush that waits until it is let go, and remembers its batches. */
function heldFlush() {
  const batches: number[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const flush = async (items: number[]): Promise<string[]> => {
    batches.push(items);
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return items.map((item) => `done ${item}`);
  };
  return { batches, gates, flush };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Batcher', () => {
  test('flushes at once when idle; what gathers meanwhile goes with the next', async () => {
    const { batches, gates, flush } = heldFlush();
    const batcher = new Batcher({ itemsMax: 100, flush });
    const first = batcher.add(1);
    await turn();
    expect(batches).toEqual([[1]]);
    const rest = [2, 3, 4].map((item) => batcher.add(item));
    await turn();
    expect([batches, batcher.waiting]).toEqual([[[1]], 3]);
    gates[0]?.resolve();
    expect(await first).toBe('done 1');
    await turn();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    gates[1]?.resolve();
    expect(await Promise.all(rest)).toEqual(['done 2', 'done 3', 'done 4']);
  });

  test('calls of one turn share the first batch, up to its bound', async () => {
    const batches: number[][] = [];
    const batcher = new Batcher<number, number>({
      itemsMax: 2,
      flush: async (items) => {
        batches.push(items);
        return items;
      },
    });
    expect(await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)))).toEqual([1, 2, 3, 4, 5]);
    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
  });

  test('runs as many flushes at once as it may', async () => {
    const { batches, gates, flush } = heldFlush();
    const batcher = new Batcher({ itemsMax: 1, flush, concurrency: 2 });
    const all = [1, 2, 3].map((item) => batcher.add(item));
    await turn();
    expect(batches).toEqual([[1], [2]]);
    gates[1]?.resolve();
    await turn();
    expect(batches).toEqual([[1], [2], [3]]);
    gates[0]?.resolve();
    gates[2]?.resolve();
    expect(await Promise.all(all)).toEqual(['done 1', 'done 2', 'done 3']);
  });

  test('a failed batch fails its own callers and no other', async () => {
    const batcher = new Batcher<number, number>({
      itemsMax: 1,
      flush: async ([item = 0]) => {
        if (item === 2) throw new Error('no room for 2');
        return [item];
      },
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('a flush that gives too few results fails its callers instead of leaving them waiting', async () => {
    const batcher = new Batcher<number, number>({ itemsMax: 10, flush: async () => [] });
    await expect(batcher.add(1)).rejects.toThrow('1 items gave 0 results');
  });

  test('stop waits for what was added and takes nothing more', async () => {
    const { gates, flush } = heldFlush();
    const batcher = new Batcher({ itemsMax: 1, flush });
    const added = [batcher.add(1), batcher.add(2)];
    const stopped = batcher.stop();
    await expect(batcher.add(3)).rejects.toThrow('stopped');
    await turn();
    gates[0]?.resolve();
    await turn();
    gates[1]?.resolve();
    await stopped;
    expect(await Promise.all(added)).toEqual(['done 1', 'done 2']);
    await batcher.stop();
  });
});
