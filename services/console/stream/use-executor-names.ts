import { useQuery } from '@tanstack/react-query';
import { allPages, PAGE_SIZE_MAX } from './all-pages.ts';
import { executors } from './services.ts';

const STALE_MS = 30_000;

/** Names of all of the account's executors, for choosing one. */
export function useExecutorNames(): readonly string[] {
  const { data } = useQuery({
    queryKey: ['names of executors'],
    staleTime: STALE_MS,
    queryFn: ({ signal }) =>
      allPages(async (pageToken) => {
        const page = await executors.listExecutors({ pageSize: PAGE_SIZE_MAX, pageToken }, { signal });
        return { items: page.executors.map(({ name }) => name), nextPageToken: page.nextPageToken };
      }),
  });
  return data ?? [];
}
