import { repeatWhileUnavailable } from './repeat.ts';

const PAGE_SIZE_MAX = 1_000;

interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/** Items of a paged list, at most `limit`, fetched page by page as they are wanted; `ask` may ask more than once for one. */
export async function* pages<T>(
  limit: number,
  fetch: (pageSize: number, pageToken: string) => Promise<Page<T>>,
  ask: (fetch: () => Promise<Page<T>>) => Promise<Page<T>> = repeatWhileUnavailable,
): AsyncGenerator<T> {
  let left = limit;
  let pageToken = '';
  while (left > 0) {
    const token = pageToken;
    const page = await ask(() => fetch(Math.min(left, PAGE_SIZE_MAX), token));
    yield* page.items.slice(0, left);
    left -= page.items.length;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}
