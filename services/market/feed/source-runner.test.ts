import { describe, expect, test } from 'vitest';
import { sampleSource } from '../../../test/harness/sample-source.ts';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import { FRESHNESS_LIMITS } from '../domain/freshness.ts';
import type { SourceProgress } from '../domain/market-store.ts';
import { NO_COUNTS } from '../domain/source.ts';
import { type Feed, FeedError } from './feed.ts';
import { SourceRunner } from './source-runner.ts';
import { SymbolMarket } from './symbol-market.ts';

const EMPTY: Feed = {
  intervalMs: 60_000,
  waitsForWatchers: false,
  stats: () => NO_COUNTS,
  batches: async function* () {},
};

/** Runs a source whose feed opens, or does not, as each of `tries` says; gives the state in which it ends. */
async function endOf(tries: readonly (() => Feed)[]): Promise<Pick<SourceProgress, 'state' | 'reason'>> {
  const clock = new ManualClock();
  const left = tries.values();
  const ended = Promise.withResolvers<void>();
  let last: SourceProgress | undefined;
  const runner = new SourceRunner({
    source: sampleSource(),
    open: async () => {
      // The next try comes as soon as the clock is moved on.
      setImmediate(() => clock.advance(5_000));
      const open = left.next().value;
      if (open === undefined) throw new Error('opened more often than was said');
      return open();
    },
    market: new SymbolMarket('main', 'X', clock, FRESHNESS_LIMITS),
    book: {
      advance: async (progress) => {
        last = progress;
        return true;
      },
      trim: async () => undefined,
    },
    owner: { replicaId: 'market-1', url: 'http://127.0.0.1:1', leaseMs: 5_000 },
    clock,
    logger: createLogger('test', 'silent'),
    onEnd: () => ended.resolve(),
  });
  runner.start();
  await ended.promise;
  if (last === undefined) throw new Error('nothing was stored');
  return { state: last.state, reason: last.reason };
}

function failing(error: Error): () => Feed {
  return () => {
    throw error;
  };
}

describe('a source whose feed cannot be opened', () => {
  test('waits while the database is away, or will not work', async () => {
    const away = Object.assign(new Error('the database system is starting up'), { code: '57P03' });
    const unwilling = Object.assign(new Error('out of memory'), { code: '53200' });
    const end = await endOf([failing(away), failing(unwilling), () => EMPTY]);
    expect(end).toEqual({ state: 'COMPLETED', reason: 'reached its end' });
  });

  test('ends with the reason when that does not pass', async () => {
    const end = await endOf([failing(new FeedError('the dataset "days" is gone'))]);
    expect(end).toEqual({ state: 'FAILED', reason: 'the dataset "days" is gone' });
  });
});
