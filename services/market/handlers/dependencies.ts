import type { Clock } from '../../platform/clock.ts';
import type { FreshnessLimits } from '../domain/freshness.ts';
import type { DatasetBook, SourceBook } from '../domain/market-store.ts';
import type { Markets } from '../feed/markets.ts';
import type { Sources } from '../feed/sources.ts';

/** What the handlers of MarketService need; `service.ts` provides it. */
export interface MarketHandlerDependencies {
  readonly datasets: DatasetBook;
  readonly book: SourceBook;
  readonly markets: Markets;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly freshness: FreshnessLimits;
  /** Whether sources may follow exchanges. */
  readonly exchanges: boolean;
}

/** On calls of another replica that mirrors a symbol: only events of this replica's own source are wanted. */
export const MIRROR_HEADER = 'x-strategos-market-mirror';
