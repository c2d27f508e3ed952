import type { MarketEvent } from '../domain/market-event.ts';
import type { SeriesStats } from '../domain/series-stats.ts';

/** What a feed gives at once. */
export interface FeedBatch {
  readonly events: readonly MarketEvent[];
  /** 0 to 100; 0 where there is no end. */
  readonly progressPercent: number;
}

/**
 * Where a source's events come from. A feed begins where its source's position says, paces itself, and is asked for the next
 * batch only when the last one was taken.
 */
export interface Feed {
  /** Between events, in market time; what freshness is measured by. */
  readonly intervalMs: number;
  /** Whether it gives what it has as fast as it is taken, so that it waits for slow watchers. */
  readonly waitsForWatchers: boolean;
  /** Open of the first candle, for feeds that choose it themselves: part of the position. */
  readonly startMs?: number;
  /** Faults and gaps so far; `events` is not looked at. */
  stats(): SeriesStats;
  /** Ends when there will be no more events, or when `signal` aborts. @throws FeedError when it cannot go on. */
  batches(signal: AbortSignal): AsyncIterable<FeedBatch>;
}

/** A feed that cannot go on, in words for the operator. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
}
