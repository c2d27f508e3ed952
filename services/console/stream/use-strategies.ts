import { useQuery } from '@tanstack/react-query';
import type { Strategy } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { allPages, PAGE_SIZE_MAX } from './all-pages.ts';
import { strategies } from './services.ts';

/** All of the account's strategies by name, for choosing one. */
export function useStrategies(): readonly Strategy[] {
  const { data } = useQuery({
    queryKey: ['strategies to choose from'],
    queryFn: ({ signal }) =>
      allPages(async (pageToken) => {
        const page = await strategies.listStrategies({ pageSize: PAGE_SIZE_MAX, pageToken }, { signal });
        return { items: page.strategies, nextPageToken: page.nextPageToken };
      }),
  });
  return data ?? [];
}
