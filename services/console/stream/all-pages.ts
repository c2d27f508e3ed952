/** A page of a list, and where the next one begins; empty: it is the last. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/** As many as the services give at once. */
export const PAGE_SIZE_MAX = 1_000;

/** A whole list, page by page: a form that offers its beginning alone lets nobody choose the rest. */
export async function allPages<T>(fetch: (pageToken: string) => Promise<ListPage<T>>): Promise<readonly T[]> {
  const items: T[] = [];
  let pageToken = '';
  do {
    const page = await fetch(pageToken);
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return items;
}
