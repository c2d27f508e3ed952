import { validate as isUuid } from 'uuid';
import type { WatchVenueEventsResponse } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { FollowBook, Progress } from '../domain/follower.ts';
import type { Observed } from '../domain/observed.ts';
import { applyObserved } from '../domain/results.ts';
import { applyVenueNews, type VenueNews } from '../domain/venue.ts';
import { venueNewsFromProto } from '../wire/observed-from-proto.ts';

/** Reads commands as they are now; what cannot be read is left out. */
export type ReadCommands = (accountId: string, ids: readonly string[]) => Promise<readonly Observed[]>;

/** What a stretch of venue events means for sessions. Events of sessions that the account does not have mean nothing. */
export async function readVenueNews(
  book: FollowBook,
  accountId: string,
  events: readonly WatchVenueEventsResponse[],
  readCommands: ReadCommands,
): Promise<Pick<Progress, 'changes' | 'commands'>> {
  const news = events.flatMap(({ event }) => (event === undefined ? [] : (venueNewsFromProto(event) ?? [])));
  const changes: Progress['changes'][number][] = [];
  for (const [sessionId, own] of Map.groupBy(news, (each) => each.sessionId)) {
    if (!isUuid(sessionId) || !(await book.sessionOf(accountId, sessionId))) continue;
    const openCommandIds = own.flatMap(({ openCommandId }) => (openCommandId === '' ? [] : [openCommandId]));
    const opened = await readCommands(accountId, [...new Set(openCommandIds)]);
    changes.push({
      sessionId,
      options: { openCommandIds, requestIds: opened.map(({ requestId }) => requestId) },
      work: (draft) => {
        // The entry's own answer may be on its way in the other stream; it comes first.
        for (const observed of opened) applyObserved(draft, observed);
        for (const each of newestEquity(own)) applyVenueNews(draft, each);
      },
    });
  }
  return { changes, commands: [] };
}

/** Of several reports of the equity in one stretch the last one alone counts. */
function newestEquity(news: readonly VenueNews[]): VenueNews[] {
  const last = news.findLastIndex(({ type }) => type === 'EQUITY');
  return news.filter(({ type }, index) => type !== 'EQUITY' || index === last);
}
