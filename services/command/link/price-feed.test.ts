import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { PriceState } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Freshness, PriceEventSchema } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import {
  type WatchPricesResponse,
  WatchPricesResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { until } from '../../../test/harness/until.ts';
import { AsyncQueue } from '../../platform/async-queue.ts';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import { type PriceCursor, PriceFeed, type PriceFrame, type PriceStart } from './price-feed.ts';

const SYMBOL = 'BTC_USDT';

/** One stream of the market service, as the test feeds it. */
interface Stream {
  readonly cursor: PriceCursor;
  readonly accountId: string;
  readonly responses: AsyncQueue<WatchPricesResponse>;
  readonly signal: AbortSignal;
}

function newFeed() {
  const streams: Stream[] = [];
  const clock = new ManualClock();
  const feed = new PriceFeed({
    clock,
    logger: createLogger('test', 'silent'),
    watch(accountId, cursor, signal) {
      const responses = new AsyncQueue<WatchPricesResponse>({ itemsMax: 100_000 });
      signal.addEventListener('abort', () => responses.end());
      streams.push({ accountId, cursor, responses, signal });
      return responses;
    },
  });
  return { feed, streams, clock };
}

/** A follower and what it was told: prices by their sequences, states by their names. */
function follower(feed: PriceFeed, start: PriceStart = {}, symbol = SYMBOL, accountId = 'main') {
  const frames: PriceFrame[] = [];
  const end = feed.follow(accountId, symbol, start, (frame) => frames.push(frame));
  const sequences = (): number[] => frames.flatMap((frame) => frame.prices.map(({ sequence }) => Number(sequence)));
  const states = (): string[] => frames.flatMap(({ freshness }) => freshness.map(({ state }) => PriceState[state]));
  const missed = (): string[] => frames.flatMap(({ missedSymbols }) => missedSymbols);
  return { frames, end, sequences, states, missed };
}

function prices(first: number, last: number, more: Partial<Pick<WatchPricesResponse, 'missedSymbols'>> = {}) {
  return create(WatchPricesResponseSchema, {
    ...more,
    events: Array.from({ length: last - first + 1 }, (_, at) =>
      create(PriceEventSchema, {
        symbol: SYMBOL,
        sequence: BigInt(first + at),
        time: timestampFromMs(1_000 * (first + at)),
        event: { case: 'trade', value: { price: '100' } },
      }),
    ),
  });
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

async function told(one: { readonly sequences: () => number[] }, expected: readonly number[]): Promise<void> {
  await until(() => one.sequences().length >= expected.length, `${expected.length} prices were told`);
  expect(one.sequences()).toEqual(expected);
}

describe('followers of a symbol', () => {
  test('share one stream an account and symbol, and all are told everything', async () => {
    const { feed, streams } = newFeed();
    const followers = [follower(feed), follower(feed), follower(feed)];
    follower(feed, {}, SYMBOL, 'other');
    follower(feed, {}, 'ETH_USDT');
    expect(streams.map(({ accountId, cursor }) => [accountId, cursor.symbol])).toEqual([
      ['main', SYMBOL],
      ['other', SYMBOL],
      ['main', 'ETH_USDT'],
    ]);
    streams[0]?.responses.push(prices(1, 450));
    for (const one of followers) await told(one, range(1, 450));
    expect(Math.max(...(followers[0]?.frames.map((frame) => frame.prices.length) ?? []))).toBe(200);
    feed.close();
  });

  test('end the stream when the last one leaves, and not before', () => {
    const { feed, streams } = newFeed();
    const one = follower(feed);
    const two = follower(feed);
    one.end();
    expect(streams[0]?.signal.aborted).toBe(false);
    two.end();
    expect(streams[0]?.signal.aborted).toBe(true);
    follower(feed);
    expect(streams).toHaveLength(2);
    feed.close();
  });

  test('that come back get what they missed from what is kept, without another stream', async () => {
    const { feed, streams } = newFeed();
    const one = follower(feed, { afterSequence: 10n });
    expect(streams[0]?.cursor).toMatchObject({ symbol: SYMBOL, sequence: 10n });
    streams[0]?.responses.push(prices(11, 40));
    await told(one, range(11, 40));
    const back = follower(feed, { afterSequence: 25n });
    expect(back.sequences()).toEqual(range(26, 40));
    streams[0]?.responses.push(prices(41, 42));
    await told(back, range(26, 42));
    expect(streams).toHaveLength(1);
    feed.close();
  });

  test('that want more than is kept catch up by a stream of their own, and then share: in order, nothing twice', async () => {
    const { feed, streams } = newFeed();
    const one = follower(feed, { afterSequence: 5_000n });
    streams[0]?.responses.push(prices(5_001, 5_010));
    await told(one, range(5_001, 5_010));
    const late = follower(feed, { afterSequence: 4_990n });
    expect(streams[1]?.cursor).toMatchObject({ sequence: 4_990n });
    streams[1]?.responses.push(prices(4_991, 5_004));
    await until(() => streams[1]?.signal.aborted, 'the own stream has done its part');
    expect(late.sequences()).toEqual(range(4_991, 5_010));
    streams[0]?.responses.push(prices(5_011, 5_012));
    await told(late, range(4_991, 5_012));
    await told(one, range(5_001, 5_012));
    feed.close();
  });

  test('that begin at a time, or with what is new, are served so', async () => {
    const { feed, streams } = newFeed();
    const one = follower(feed, { fromMs: 5_000 });
    expect(streams[0]?.cursor).toMatchObject({ afterTime: timestampFromMs(4_999) });
    streams[0]?.responses.push(prices(5, 9));
    await told(one, range(5, 9));
    const fresh = follower(feed);
    streams[0]?.responses.push(prices(10, 11));
    await told(fresh, [10, 11]);
    feed.close();
  });

  test('are told what is lost for good, and how fresh prices are', async () => {
    const { feed, streams } = newFeed();
    const one = follower(feed, { afterSequence: 1n });
    expect(one.states()).toEqual(['BLIND']);
    streams[0]?.responses.push(
      create(WatchPricesResponseSchema, {
        freshness: [{ symbol: SYMBOL, freshness: Freshness.STALE }],
        missedSymbols: [SYMBOL],
      }),
    );
    await until(() => one.missed().length > 0, 'the loss was told');
    expect(one.states()).toEqual(['BLIND', 'STALE']);
    expect(follower(feed).states()).toEqual(['STALE']);
    feed.close();
  });
});

test('a stream that breaks is remade from the last price; until then followers are blind, and nothing comes twice', async () => {
  const { feed, streams, clock } = newFeed();
  const one = follower(feed, { afterSequence: 0n });
  streams[0]?.responses.push(prices(1, 3));
  await told(one, [1, 2, 3]);
  streams[0]?.responses.fail(new Error('gone'));
  await until(() => one.states().length === 2, 'the loss was told');
  expect(one.states()).toEqual(['BLIND', 'BLIND']);
  clock.advance(100);
  await until(() => streams.length === 2, 'the stream is remade');
  expect(streams[1]?.cursor).toMatchObject({ sequence: 3n });
  streams[1]?.responses.push(prices(2, 5));
  await told(one, [1, 2, 3, 4, 5]);
  feed.close();
});
