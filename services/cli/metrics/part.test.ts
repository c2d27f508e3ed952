import { expect, test } from 'vitest';
import { listed } from './part.ts';

/** A list of numbers from 0 on. */
function listOf(count: number) {
  return (pageSize: number, pageToken: string) => {
    const first = Number(pageToken);
    const items = Array.from({ length: Math.min(pageSize, count - first) }, (_, at) => first + at);
    const next = first + items.length;
    return Promise.resolve({ items, nextPageToken: next === count ? '' : String(next) });
  };
}

test.each([
  [0, 0, true],
  [1_500, 1_500, true],
  [2_000, 2_000, true],
  [2_001, 2_000, false],
])('of a list of %d, %d are told, and whether they are all', async (count, told, complete) => {
  const list = await listed(2_000, listOf(count));
  expect({ ...list, items: list.items.length }).toEqual({ items: told, complete });
});
