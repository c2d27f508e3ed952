import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import { SeriesCounter } from '../domain/series-stats.ts';
import { ccxtExchanges } from './ccxt-exchange.ts';
import { type ExchangeCandle, exchangeFeed } from './exchange-feed.ts';
import type { Feed } from './feed.ts';

const NOW_MS = 1_700_000_040_000;
const KIND = { kind: 'exchange', exchange: 'fake', exchangeSymbol: 'BTC/USD' } as const;

class BadSymbol extends Error {}
class NetworkError extends Error {}

/** An exchange as ccxt presents one; `answer` is asked at each request. */
function library(answer: (request: number, since: number) => ExchangeCandle[]) {
  const seen = { options: {} as object, requests: [] as unknown[][], closed: 0 };
  class Fake {
    constructor(options: object) {
      seen.options = options;
    }
    fetchOHLCV(...request: [string, string, number, number]): Promise<ExchangeCandle[]> {
      seen.requests.push(request);
      return Promise.resolve().then(() => answer(seen.requests.length, request[2]));
    }
    close(): Promise<void> {
      seen.closed += 1;
      return Promise.resolve();
    }
  }
  return { seen, load: () => Promise.resolve({ default: { fake: Fake, version: '4' } }) };
}

function notInstalled(): Promise<unknown> {
  return Promise.reject(new Error("Cannot find package 'ccxt'"));
}

function withoutFake(): Promise<unknown> {
  return Promise.resolve({ default: { version: '4' } });
}

function candle(minute: number, close = '100.10'): ExchangeCandle {
  return [NOW_MS + minute * 60_000, '100.10', '100.2', '100', close, '5'];
}

function opened(load: () => Promise<unknown>, clock: ManualClock, lastOpenMs?: number): Feed {
  return exchangeFeed(KIND, { lastOpenMs, stats: new SeriesCounter().stats }, ccxtExchanges(load), clock);
}

/** Events of a feed until there are `count`; its pauses are passed at once. */
async function take(feed: Feed, clock: ManualClock, count: number): Promise<MarketEvent[]> {
  const gone = new AbortController();
  const events: MarketEvent[] = [];
  const moving = setInterval(() => clock.advance(2_000), 1);
  try {
    for await (const batch of feed.batches(gone.signal)) {
      events.push(...batch.events);
      if (events.length >= count) gone.abort();
    }
  } finally {
    clearInterval(moving);
  }
  return events;
}

const minutesOf = (events: readonly MarketEvent[]): number[] =>
  events.flatMap((event) => (event.kind === 'candle' ? [(event.openTimeMs - NOW_MS) / 60_000] : []));

describe('an exchange', () => {
  test('gives each candle once, when its minute is over, as the exchange wrote it', async () => {
    const clock = new ManualClock(NOW_MS);
    const { seen, load } = library((_request, since) => {
      return [-3, -2, -1, 0, 1, 2].map((minute) => candle(minute)).filter(([time]) => Number(time) >= since);
    });
    const events = await take(opened(load, clock), clock, 5);
    expect(minutesOf(events)).toEqual([-3, -2, -1, 0, 1]);
    expect(events.every((event) => event.timeMs <= clock.nowMs())).toBe(true);
    expect(events[0]).toMatchObject({ kind: 'candle', close: '100.10' });
    expect(seen.options).toMatchObject({ number: String, enableRateLimit: true });
    expect(seen.requests[0]).toEqual(['BTC/USD', '1m', NOW_MS - 400 * 60_000, 500]);
    expect(seen.closed).toBe(1);
  });

  test('goes on after what is known, and counts what is malformed or missing', async () => {
    const clock = new ManualClock(NOW_MS);
    const { load } = library(() => [candle(-9), candle(-7), candle(-6, 'NaN'), candle(-5)]);
    const feed = opened(load, clock, NOW_MS - 10 * 60_000);
    expect(minutesOf(await take(feed, clock, 3))).toEqual([-9, -7, -5]);
    expect(feed.stats()).toMatchObject({ gaps: 2, malformed: 1, duplicates: 0, outOfOrder: 0 });
  });

  test('that does not answer is asked again; one that does not have the symbol is given up', async () => {
    const clock = new ManualClock(NOW_MS);
    const flaky = library((request) => {
      if (request < 3) throw new NetworkError('no route');
      return [candle(-1)];
    });
    const feed = opened(flaky.load, clock);
    expect(minutesOf(await take(feed, clock, 1))).toEqual([-1]);
    expect(feed.stats().recentFaults).toEqual(Array(2).fill('fake did not answer: no route'));
    const without = library(() => {
      throw new BadSymbol('no market BTC/USD');
    });
    await expect(take(opened(without.load, clock), clock, 1)).rejects.toThrow('fake: no market BTC/USD');
    expect(without.seen.closed).toBe(1);
  });

  test('needs the library, and one that the library knows', async () => {
    const clock = new ManualClock(NOW_MS);
    await expect(take(opened(notInstalled, clock), clock, 1)).rejects.toThrow(
      "prices of exchanges need the package ccxt beside this service: npm install ccxt (Cannot find package 'ccxt')",
    );
    await expect(take(opened(withoutFake, clock), clock, 1)).rejects.toThrow('ccxt has no exchange "fake"');
  });
});
