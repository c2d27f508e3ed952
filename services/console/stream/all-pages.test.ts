import { expect, test } from 'vitest';
import { allPages } from './all-pages.ts';

test('everything of a list is there, in its order, however many pages it has', async () => {
  const pages: Readonly<Record<string, { readonly items: readonly number[]; readonly nextPageToken: string }>> = {
    '': { items: [1, 2], nextPageToken: 'two' },
    two: { items: [3], nextPageToken: 'three' },
    three: { items: [], nextPageToken: '' },
  };
  const asked: string[] = [];
  const fetch = (pageToken: string) => {
    asked.push(pageToken);
    return Promise.resolve(pages[pageToken] ?? { items: [], nextPageToken: '' });
  };
  expect(await allPages(fetch)).toEqual([1, 2, 3]);
  expect(asked).toEqual(['', 'two', 'three']);
});
