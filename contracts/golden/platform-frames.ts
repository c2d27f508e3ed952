import { create, fromJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ConnectRequest,
  ConnectRequestSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Freshness, type PriceEvent, PriceEventSchema } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { SymbolFreshnessSchema } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { freshnessOf, priceOf } from '../../services/command/link/price-frames.ts';
import type { ExecutorSession } from '../../services/command/link/session.ts';
import { sendWelcome } from '../../services/command/link/welcome.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import { describedFrame, frameNameOf, type MadeFrame } from './frame.ts';
import { KIND_FIELDS, sentCommand } from './sample-commands.ts';
import { sampleSession } from './sample-session.ts';
import { SAMPLE, sampleId } from './sample-values.ts';

const DRAIN_MS = 1_500;
const SAMPLE_PRICE = { symbol: 'BTC_USDT', sequence: 4n, time: timestampFromMs(SAMPLE.nowMs) };
const FRAMES_MAX = 1_000;

/** What makes the real session say each of its frames. */
const OCCASIONS: readonly ((session: ExecutorSession, clock: ManualClock) => void)[] = [
  (session) => sendWelcome(session, { version: '1.0.0', digest: 'd'.repeat(64) }),
  ...KIND_FIELDS.map((kind) => (session: ExecutorSession) => session.deliver(sentCommand(kind))),
  (session) => session.cancel(sampleId(1)),
  (session) => {
    session.acknowledge(sampleId(1));
    session.end({ type: 'left', reason: 'what gathered is flushed' });
  },
  (session) => session.inquire([sampleId(1)]),
  (session, clock) => {
    clock.advance(10_000);
    session.tick(clock.nowMs());
  },
  (session) => session.take(create(ConnectRequestSchema, { frame: { case: 'heartbeat', value: { number: 3n } } })),
  (session) => session.drain(DRAIN_MS),
  (session) => session.take(sampleRequest('executor venue_events/position_closed')),
  ...[sampleCandle(), sampleTrade()].map((event) => (session: ExecutorSession) => session.send(pricesOf(event))),
  (session) => {
    const { epoch, journalId, host } = SAMPLE;
    session.end({ type: 'superseded', epoch: epoch + 1, journalId, host });
  },
];

/** Every frame that the platform says, built by the session that speaks to agents in production. */
export async function platformFrames(): Promise<MadeFrame[]> {
  const made: MadeFrame[] = [];
  for (const occasion of OCCASIONS) {
    const clock = new ManualClock(SAMPLE.nowMs);
    const session = sampleSession(clock);
    occasion(session, clock);
    // What gathers within one turn shares a frame, so the turn has to end.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (const message of session.output.drain(FRAMES_MAX))
      made.push({ name: frameNameOf('platform', message), from: 'platform', message });
  }
  return made;
}

function sampleRequest(name: string): ConnectRequest {
  return fromJson(ConnectRequestSchema, describedFrame('executor', name));
}

function sampleCandle(): PriceEvent {
  const openTime = timestampFromMs(SAMPLE.nowMs - 60_000);
  const value = { open: '1.1', high: '1.4', low: '1', close: '1.3', volume: '12', openTime };
  return create(PriceEventSchema, { ...SAMPLE_PRICE, event: { case: 'candle', value } });
}

function sampleTrade(): PriceEvent {
  return create(PriceEventSchema, { ...SAMPLE_PRICE, event: { case: 'trade', value: { price: '1.3' } } });
}

/** Prices as the feed puts them into a frame. */
function pricesOf(event: PriceEvent) {
  const price = priceOf(event);
  const lastEventTime = timestampFromMs(SAMPLE.nowMs);
  const freshness = create(SymbolFreshnessSchema, { symbol: 'BTC_USDT', freshness: Freshness.FRESH, lastEventTime });
  const value = {
    prices: price === undefined ? [] : [price],
    freshness: [freshnessOf(freshness)],
    missedSymbols: ['ETH_USDT'],
  };
  return { case: 'prices', value } as const;
}
