import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type Price,
  type PriceFreshnessSchema,
  PriceSchema,
  PriceState,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Freshness, type PriceEvent } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { SymbolFreshness } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';

/** A market's event as agents get it; undefined for one that says nothing this build could pass on. */
export function priceOf({ symbol, sequence, time, source, event }: PriceEvent): Price | undefined {
  if (time === undefined) return undefined;
  const head = { symbol, sequence, time, source };
  if (event.case === 'trade') {
    return create(PriceSchema, { ...head, price: { case: 'trade', value: { price: event.value.price } } });
  }
  if (event.case !== 'candle') return undefined;
  const { open, high, low, close, openTime } = event.value;
  const candle = { open, high, low, close, ...(openTime === undefined ? {} : { openTime }) };
  return create(PriceSchema, { ...head, price: { case: 'candle', value: candle } });
}

const STATES: Partial<Record<Freshness, PriceState>> = {
  [Freshness.FRESH]: PriceState.FRESH,
  [Freshness.STALE]: PriceState.STALE,
};

/** What is not known to be fresh or stale counts as blind. */
export function freshnessOf({
  symbol,
  freshness,
  lastEventTime,
}: SymbolFreshness): MessageInitShape<typeof PriceFreshnessSchema> {
  const state = STATES[freshness] ?? PriceState.BLIND;
  return { symbol, state, ...(lastEventTime === undefined ? {} : { lastPriceTime: lastEventTime }) };
}
