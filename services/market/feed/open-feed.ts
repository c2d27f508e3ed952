import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { DatasetBook } from '../domain/market-store.ts';
import type { Source } from '../domain/source.ts';
import { readSeries, type Series } from '../series/read-series.ts';
import { exchangeFeed, type OpenExchange } from './exchange-feed.ts';
import { type Feed, FeedError } from './feed.ts';
import { replayFeed } from './replay-feed.ts';
import { simulationFeed } from './simulation-feed.ts';

export interface FeedDependencies {
  readonly datasets: DatasetBook;
  readonly clock: Clock;
  /** Undefined: exchanges are switched off. */
  readonly exchanges: OpenExchange | undefined;
}

/** Opens the feed of a source where it stands. @throws FeedError */
export async function openFeed({ datasets, clock, exchanges }: FeedDependencies, source: Source): Promise<Feed> {
  const { kind, position, accountId, counts } = source;
  switch (kind.kind) {
    case 'replay':
      return replayFeed(await storedSeries(datasets, accountId, kind.dataset), kind, position.index, clock);
    case 'simulation':
      return simulationFeed(kind, position, clock);
    case 'exchange':
      if (exchanges === undefined) throw new FeedError('exchanges are off; set STRATEGOS_MARKET_EXCHANGES=on');
      return exchangeFeed(kind, { lastOpenMs: position.lastOpenMs, stats: counts }, exchanges, clock);
    default:
      return kind satisfies never;
  }
}

/** Reads a dataset's events. @throws FeedError when it is gone or cannot be read. */
export async function storedSeries(datasets: DatasetBook, accountId: string, name: string): Promise<Series> {
  const content = await datasets.content(accountId, name);
  if (content === undefined) throw new FeedError(`the dataset "${name}" is gone`);
  try {
    return await readSeries(content);
  } catch (thrown) {
    throw new FeedError(`the dataset "${name}" cannot be read: ${messageOf(thrown)}`);
  }
}
