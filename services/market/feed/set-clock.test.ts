import { once } from 'node:events';
import { expect, test } from 'vitest';
import { sampleSource } from '../../../test/harness/sample-source.ts';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import { FRESHNESS_LIMITS } from '../domain/freshness.ts';
import { simulate } from '../domain/simulation.ts';
import { NO_COUNTS } from '../domain/source.ts';
import type { FeedBatch } from './feed.ts';
import { paced } from './paced.ts';
import { Sources, type SourcesDependencies } from './sources.ts';
import { SymbolMarket } from './symbol-market.ts';

const HOURS_MS = 7_200_000;
const LEASE_MS = 5_000;
const SIMULATION = { seed: 1n, startPrice: '100', intervalMs: 60_000, pumpEvery: 0, crashEvery: 0 };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const dependencies = (parts: object): SourcesDependencies => Object.assign(Object.create(null), parts);

/** A feed that brings nothing, until it is ended. */
async function* silence(signal: AbortSignal): AsyncGenerator<FeedBatch> {
  await once(signal, 'abort');
  yield* [];
}

/** Sources with one that runs, of a database that is away from then on. */
async function away(clock: ManualClock): Promise<Sources> {
  const waiting = [sampleSource()];
  const sources = new Sources(
    dependencies({
      book: {
        claim: async () => waiting.splice(0),
        renew: () => Promise.reject(new Error('the database is away')),
        release: async () => undefined,
      },
      markets: {
        holdForSource: async () => ({
          market: new SymbolMarket('main', 'X', clock, FRESHNESS_LIMITS),
          release: () => undefined,
        }),
      },
      open: async () => ({
        intervalMs: 60_000,
        waitsForWatchers: false,
        stats: () => NO_COUNTS,
        batches: silence,
      }),
      owner: { replicaId: 'market-1', url: 'http://127.0.0.1:1', leaseMs: LEASE_MS },
      clock,
      logger: createLogger('test', 'silent'),
      changed: () => undefined,
    }),
  );
  await sources.begin();
  return sources;
}

async function passes(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    for (let i = 0; i < 5; i++) await turn();
  }
}

test.each([-HOURS_MS, HOURS_MS])(
  'a lease that cannot be prolonged is over when it is, the clock set by %d ms',
  async (ms) => {
    const clock = new ManualClock();
    await using sources = await away(clock);
    const { accountId, symbol } = sampleSource();
    clock.step(ms);
    await passes(clock, 2_000);
    expect(sources.runs(accountId, symbol)).toBe(true);
    await passes(clock, LEASE_MS);
    expect(sources.runs(accountId, symbol)).toBe(false);
  },
);

test.each([-HOURS_MS, HOURS_MS])('a symbol without news is stale in time, the clock set by %d ms', (ms) => {
  const clock = new ManualClock();
  const market = new SymbolMarket('main', 'X', clock, FRESHNESS_LIMITS);
  const [event] = simulate(SIMULATION, clock.nowMs());
  if (event === undefined) throw new Error('no candle');
  market.publish([{ sequence: 1, sourceId: 'a', event, closed: undefined }]);
  clock.step(ms);
  clock.advance(1_000);
  expect(market.freshnessNow()).toMatchObject({ freshness: 'FRESH', ageMs: 1_000 });
  clock.advance(HOURS_MS);
  expect(market.freshnessNow().freshness).toBe('BLIND');
});

test('events come at their pace when the clock is set back', async () => {
  const clock = new ManualClock();
  const over = new AbortController();
  const events = simulate(SIMULATION, clock.nowMs()).take(2);
  const batches = paced(events, { speed: 1, clock, signal: over.signal });
  const read = Promise.all([batches.next(), batches.next()]);
  await turn();
  clock.step(-HOURS_MS);
  clock.advance(60_000);
  await turn();
  clock.advance(1);
  over.abort();
  const [, second] = await read;
  expect(second.done).toBe(false);
});
