import type { Draft } from './draft.ts';
import { isHeld } from './draft.ts';
import { closed, type Fill, opened } from './positions.ts';
import type { PositionRecord } from './records.ts';
import { isBookedAs, sectionOf } from './closing.ts';

/** What happened at a venue without a command. */
export type VenueNews = {
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly openCommandId: string;
} & (
  | { readonly type: 'POSITION_CLOSED'; readonly reason: string; readonly fill: Fill | undefined }
  | {
      readonly type: 'EQUITY';
      readonly equity: string;
      readonly balance: string;
      readonly peakEquity: string;
      readonly maxDrawdownPct: string;
    }
  | { readonly type: 'POLICY_APPLIED'; readonly text: string }
);

/** Writes down what a venue did. The same news again changes nothing. */
export function applyVenueNews(draft: Draft, news: VenueNews): void {
  switch (news.type) {
    case 'EQUITY':
      if (draft.session.state === 'STOPPED' && news.equity === '0') return;
      draft.setSession({
        equity: news.equity,
        balance: news.balance,
        peakEquity: news.peakEquity,
        maxDrawdownPct: news.maxDrawdownPct,
      });
      return;
    case 'POLICY_APPLIED':
      draft.setSession({ reason: news.text });
      return;
    case 'POSITION_CLOSED':
      closedAtVenue(draft, news);
  }
}

function closedAtVenue(draft: Draft, news: Extract<VenueNews, { type: 'POSITION_CLOSED' }>): void {
  const position = draft.positions.find((each) => concerns(each, news));
  if (position === undefined || isBookedAs(position, news.reason)) return;
  if (position.state === 'ENTERING' || position.state === 'UNKNOWN') {
    // Its entry's own answer has not come yet; that it was filled is certain now.
    const { symbol, quantity, entryPrice: price, entryTimeMs: timeMs } = position;
    opened(draft, position.id, { symbol, quantity, price, fee: '', timeMs }, news.openCommandId);
  }
  const { fill, reason } = news;
  closed(draft, position.id, {
    fill,
    reason,
    section: sectionOf(reason),
    closeCommandId: '',
    marketTimeMs: fill?.timeMs ?? null,
  });
}

function concerns(position: PositionRecord, news: VenueNews): boolean {
  if (news.openCommandId !== '' && position.openCommandId !== '') return position.openCommandId === news.openCommandId;
  const pending = isHeld(position) || position.state === 'ENTERING';
  return pending && position.strategyId === news.strategyId && position.symbol === news.symbol;
}
