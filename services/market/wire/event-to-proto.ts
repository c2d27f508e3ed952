import { create } from '@bufbuild/protobuf';
import {
  type Candle,
  CandleSchema,
  Freshness,
  type PriceEvent,
  PriceEventSchema,
  TradeSchema,
} from '../../../proto/gen/strategos/market/v1/market_pb.js';
import {
  type IndicatorUpdate,
  IndicatorUpdateSchema,
  type SymbolFreshness,
  SymbolFreshnessSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { FreshnessName, FreshnessNow } from '../domain/freshness.ts';
import { type CandleEvent, priceText } from '../domain/market-event.ts';
import { type ClosedCandle, TRADE_CANDLE_MS } from '../domain/minute-candles.ts';
import type { PublishedEvent } from '../domain/published-event.ts';
import { durationOf, timestampOf } from './time.ts';

const FRESHNESS: Readonly<Record<FreshnessName, Freshness>> = {
  FRESH: Freshness.FRESH,
  STALE: Freshness.STALE,
  BLIND: Freshness.BLIND,
};

export function freshnessToProto(freshness: FreshnessName): Freshness {
  return FRESHNESS[freshness];
}

export function eventToProto(symbol: string, { sequence, sourceId, event, closed }: PublishedEvent): PriceEvent {
  const time = timestampOf(event.timeMs);
  const shared = { symbol, sequence: BigInt(sequence), time, source: sourceId };
  if (event.kind === 'candle') {
    return create(PriceEventSchema, { ...shared, event: { case: 'candle', value: candleToProto(event) } });
  }
  const { price, amount, side } = event;
  return create(PriceEventSchema, {
    ...shared,
    event: { case: 'trade', value: create(TradeSchema, { time, price, amount, side }) },
    ...(closed === undefined ? {} : { closedCandle: closedToProto(closed) }),
  });
}

export function updateToProto(symbol: string, published: PublishedEvent, values: readonly number[]): IndicatorUpdate {
  const { sequence, sourceId, event } = published;
  return create(IndicatorUpdateSchema, {
    symbol,
    sequence: BigInt(sequence),
    time: timestampOf(event.timeMs),
    price: priceText(event),
    values: [...values],
    source: sourceId,
  });
}

export function symbolFreshnessToProto(
  symbol: string,
  { freshness, lastTimeMs, ageMs }: FreshnessNow,
): SymbolFreshness {
  return create(SymbolFreshnessSchema, {
    symbol,
    freshness: freshnessToProto(freshness),
    ...(lastTimeMs === undefined ? {} : { lastEventTime: timestampOf(lastTimeMs) }),
    ...(ageMs === undefined ? {} : { age: durationOf(ageMs) }),
  });
}

function candleToProto({ openTimeMs, timeMs, open, high, low, close, volume }: CandleEvent): Candle {
  return create(CandleSchema, {
    openTime: timestampOf(openTimeMs),
    closeTime: timestampOf(timeMs),
    open,
    high,
    low,
    close,
    volume,
  });
}

function closedToProto({ closeTimeMs, numbers: { open, high, low, close, volume } }: ClosedCandle): Candle {
  return create(CandleSchema, {
    openTime: timestampOf(closeTimeMs - TRADE_CANDLE_MS),
    closeTime: timestampOf(closeTimeMs),
    open: String(open),
    high: String(high),
    low: String(low),
    close: String(close),
    volume: String(volume),
  });
}
