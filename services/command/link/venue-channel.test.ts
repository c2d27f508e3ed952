import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  type ConnectResponse,
  ConnectResponseSchema,
  PriceBatchSchema,
  PriceInterestSchema,
  PriceState,
  VenueEventBatchSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { WatchPricesResponse } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { VenueEventSchema } from '../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { until } from '../../../test/harness/until.ts';
import { AsyncQueue } from '../../platform/async-queue.ts';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import type { NewVenueEvent } from '../domain/venue-book.ts';
import { PriceFeed } from './price-feed.ts';
import { VenueChannel } from './venue-channel.ts';

function newChannel(options: { readonly market?: boolean; readonly store?: () => Promise<number> } = {}) {
  const sent: ConnectResponse['frame'][] = [];
  const violations: string[] = [];
  const stored: NewVenueEvent[][] = [];
  const streams: { readonly symbol: string; readonly signal: AbortSignal }[] = [];
  const link = { open: true };
  const clock = new ManualClock();
  const logger = createLogger('test', 'silent');
  const feed = new PriceFeed({
    clock,
    logger,
    watch(_accountId, { symbol = '' }, signal) {
      streams.push({ symbol, signal });
      const silent = new AsyncQueue<WatchPricesResponse>({ itemsMax: 1 });
      signal.addEventListener('abort', () => silent.end());
      return silent;
    },
  });
  const channel = new VenueChannel(
    {
      book: {
        async store(_accountId, _executorId, events) {
          const count = (await options.store?.()) ?? events.length;
          stored.push([...events]);
          return count;
        },
      },
      feed: options.market === true ? feed : undefined,
      stored: () => undefined,
    },
    {
      accountId: 'main',
      executorId: 'e1',
      clock,
      logger,
      isOpen: () => link.open,
      send: (frame) => sent.push(frame),
      violate: (expected, detail) => {
        link.open = false;
        violations.push(`${detail}, expected ${expected}`);
      },
    },
  );
  return { channel, sent, violations, stored, streams, clock, link };
}

type EventInit = MessageInitShape<typeof VenueEventSchema>;
const batch = (...events: EventInit[]) => create(VenueEventBatchSchema, { events });
const event = (number: number, over: Partial<{ journalId: string; symbol: string }> = {}): EventInit => ({
  journalId: 'j',
  number: BigInt(number),
  ...over,
});
const after = (afterSequence: bigint) =>
  create(PriceInterestSchema, { symbols: [{ symbol: 'btc_usdt', afterSequence }] });
const interest = (...symbols: string[]) =>
  create(PriceInterestSchema, { symbols: symbols.map((symbol) => ({ symbol })) });

describe('the interest of an agent', () => {
  test('begins, keeps and ends streams as its symbols come, stay and go', () => {
    const { channel, streams } = newChannel({ market: true });
    channel.takeInterest(interest('btc_usdt', 'ETH_USDT'));
    channel.takeInterest(interest('BTC_USDT', 'SOL_USDT'));
    expect(streams.map(({ symbol, signal }) => `${symbol} ${signal.aborted ? 'ended' : 'open'}`)).toEqual([
      'BTC_USDT open',
      'ETH_USDT ended',
      'SOL_USDT open',
    ]);
    channel.close();
    expect(streams.every(({ signal }) => signal.aborted)).toBe(true);
  });

  test('without a market service is answered: blind', () => {
    const { channel, sent } = newChannel();
    channel.takeInterest(interest('BTC_USDT'));
    channel.takeInterest(interest('BTC_USDT'));
    expect(sent).toMatchObject([
      { case: 'prices', value: { freshness: [{ symbol: 'BTC_USDT', state: PriceState.BLIND }] } },
    ]);
  });

  test.each([
    [
      'too many symbols',
      interest(...Array.from({ length: 1_001 }, (_, at) => `S${at}`)),
      'symbols must have at most 1000 entries, has 1001',
    ],
    ['a nameless symbol', interest(''), 'symbol is required'],
    ['an endless symbol', interest('X'.repeat(129)), 'symbol must have at most 128 characters, has 129'],
  ])('in %s ends the link', (_name, wanted, detail) => {
    const { channel, violations } = newChannel();
    channel.takeInterest(wanted);
    expect(violations).toEqual([expect.stringContaining(detail)]);
  });
});

describe('an answer to a poll that was lost', () => {
  const answer = [
    create(ConnectResponseSchema, {
      frame: { case: 'prices', value: create(PriceBatchSchema, { prices: [{ symbol: 'BTC_USDT', sequence: 7n }] }) },
    }),
  ];
  test('is known by the prices that the agent has not got', () => {
    const { channel } = newChannel();
    channel.takeInterest(after(0n));
    expect(channel.hasLostAnswer(after(0n))).toBe(false);
    channel.noteHanded(answer);
    expect(channel.hasLostAnswer(after(7n))).toBe(false);
    expect(channel.hasLostAnswer(after(6n))).toBe(true);
  });

  test('does not matter for a symbol that is wanted no more, and again later', () => {
    const { channel } = newChannel();
    channel.takeInterest(after(0n));
    channel.noteHanded(answer);
    channel.takeInterest(interest());
    expect(channel.hasLostAnswer(after(0n))).toBe(false);
  });
});

describe('venue events', () => {
  test('are acknowledged by journal, in the order in which they were stored', async () => {
    const { channel, sent, stored } = newChannel();
    channel.acknowledgeEvents(batch(event(1), event(2)));
    channel.acknowledgeEvents(batch(event(3), event(1, { journalId: 'k' })));
    await until(() => sent.length === 3, 'all are acknowledged');
    expect(stored.map((events) => events.map(({ journalId, number }) => `${journalId}${number}`))).toEqual([
      ['j1', 'j2'],
      ['j3', 'k1'],
    ]);
    expect(sent).toMatchObject([
      { case: 'venueEventsAcknowledged', value: { journalId: 'j', numbers: [1n, 2n] } },
      { case: 'venueEventsAcknowledged', value: { journalId: 'j', numbers: [3n] } },
      { case: 'venueEventsAcknowledged', value: { journalId: 'k', numbers: [1n] } },
    ]);
  });

  test('are stored when the database is back, and given up when the link ends before', async () => {
    let failures = 2;
    const store = (): Promise<number> =>
      failures-- > 0 ? Promise.reject(new Error('no database')) : Promise.resolve(1);
    const { channel, clock, link } = newChannel({ store });
    const first = channel.takeEvents(batch(event(1)));
    await until(() => {
      clock.advance(5_000);
      return failures < 0;
    }, 'the third try was made');
    expect(await first).toEqual([{ journalId: 'j', numbers: [1n] }]);
    failures = Number.POSITIVE_INFINITY;
    const second = channel.takeEvents(batch(event(2)));
    link.open = false;
    let settled = false;
    const given = second.finally(() => {
      settled = true;
    });
    await until(() => {
      clock.advance(5_000);
      return settled;
    }, 'it was given up');
    expect(await given).toEqual([]);
  });

  test('that are too large keep their identity and nothing else', async () => {
    const { channel, stored } = newChannel();
    expect(await channel.takeEvents(batch(event(1, { symbol: 'X'.repeat(40_000) })))).toEqual([
      { journalId: 'j', numbers: [1n] },
    ]);
    const bytes = stored[0]?.[0]?.event ?? new Uint8Array();
    expect(fromBinary(VenueEventSchema, bytes)).toMatchObject({ journalId: 'j', number: 1n, symbol: '' });
  });

  test('in too many at once, or too many without an acknowledgement, end the link', async () => {
    const large = batch(...Array.from({ length: 501 }, (_, at) => event(at + 1)));
    const { channel, violations } = newChannel();
    expect(await channel.takeEvents(large)).toEqual([]);
    expect(violations).toEqual([expect.stringContaining('venue_events.events must have at most 500 entries, has 501')]);
    const stuck = newChannel({ store: () => new Promise<number>(() => undefined) });
    const full = batch(...Array.from({ length: 500 }, (_, at) => event(at + 1)));
    for (let at = 0; at < 5; at++) stuck.channel.acknowledgeEvents(full);
    expect(stuck.violations).toEqual([expect.stringContaining('2500 venue events wait to be stored')]);
  });
});
