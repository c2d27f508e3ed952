import { describe, expect, test } from 'vitest';
import { ChangeQueue, GATHER_MS, GATHER_ROWS_MAX, type PendingChange } from './change-queue.ts';

function change(commandId: string): PendingChange {
  return {
    commandId,
    take: () => {
      throw new Error('not asked for here');
    },
    resolve: () => undefined,
    reject: () => undefined,
  };
}

const ids = (changes: readonly PendingChange[]): string[] => changes.map(({ commandId }) => commandId);

describe('the queue of changes', () => {
  test('gives what may wait at once when nothing was written lately', () => {
    const queue = new ChangeQueue();
    queue.push(change('a'), true, 100);
    expect(queue.isDue(100)).toBe(true);
  });

  test('lets what may wait gather after a write, from the first one on', () => {
    const queue = new ChangeQueue();
    queue.wrote(100);
    queue.push(change('a'), true, 101);
    queue.push(change('b'), true, 102);
    expect(queue.isDue(102)).toBe(false);
    expect(queue.isDue(101 + GATHER_MS)).toBe(true);
    expect(ids(queue.take(10))).toEqual(['a', 'b']);
    expect(queue.isDue(200)).toBe(false);
  });

  test('waits with nothing that is waited for, and takes what gathers along', () => {
    const queue = new ChangeQueue();
    queue.wrote(100);
    queue.push(change('receipt'), true, 101);
    queue.push(change('sent'), false, 101);
    expect(queue.isDue(101)).toBe(true);
    expect(ids(queue.take(10))).toEqual(['receipt', 'sent']);
  });

  test('does not gather for ever: enough are due, and all when the ledger stops', () => {
    const full = new ChangeQueue();
    full.wrote(100);
    for (let i = 1; i < GATHER_ROWS_MAX; i++) full.push(change(`c${i}`), true, 100);
    expect(full.isDue(100)).toBe(false);
    full.push(change('last'), true, 100);
    expect(full.isDue(100)).toBe(true);

    const stopped = new ChangeQueue();
    stopped.wrote(100);
    stopped.push(change('a'), true, 100);
    stopped.hurry();
    expect(stopped.isDue(100)).toBe(true);
    stopped.take(10);
    stopped.push(change('b'), true, 100);
    expect(stopped.isDue(100)).toBe(true);
  });

  test('gives one change of a command at a time, in order, and the rest without delay', () => {
    const queue = new ChangeQueue();
    for (const id of ['a', 'b', 'a', 'c', 'a']) queue.push(change(id), false, 100);
    expect(ids(queue.take(2))).toEqual(['a', 'b']);
    expect(queue.isDue(100)).toBe(true);
    expect(ids(queue.take(10))).toEqual(['a', 'c']);
    expect(ids(queue.take(10))).toEqual(['a']);
    expect(queue.size).toBe(0);
  });
});
