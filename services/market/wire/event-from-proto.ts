import type { Candle, PriceEvent } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { CandleNumbers, MarketEvent, TradeSide } from '../domain/market-event.ts';
import type { PublishedEvent } from '../domain/published-event.ts';
import { millisecondsOfTimestamp } from './time.ts';

/** An event as another replica tells it; undefined when it holds none. */
export function eventFromProto(proto: PriceEvent): PublishedEvent | undefined {
  const event = marketEvent(proto);
  if (event === undefined) return undefined;
  const closed = proto.closedCandle;
  return {
    sequence: Number(proto.sequence),
    sourceId: proto.source,
    event,
    closed:
      closed?.closeTime === undefined
        ? undefined
        : { closeTimeMs: millisecondsOfTimestamp(closed.closeTime), numbers: numbersOf(closed) },
  };
}

function marketEvent({ event, time }: PriceEvent): MarketEvent | undefined {
  if (time === undefined) return undefined;
  const timeMs = millisecondsOfTimestamp(time);
  if (event.case === 'candle') {
    const { openTime, open, high, low, close, volume } = event.value;
    const openTimeMs = openTime === undefined ? timeMs : millisecondsOfTimestamp(openTime);
    return { kind: 'candle', timeMs, openTimeMs, open, high, low, close, volume, numbers: numbersOf(event.value) };
  }
  if (event.case === 'trade') {
    const { price, amount, side } = event.value;
    const numbers = { priceNumber: Number(price), amountNumber: Number(amount) };
    return { kind: 'trade', timeMs, price, amount, side: sideOf(side), ...numbers };
  }
  return undefined;
}

function numbersOf({ open, high, low, close, volume }: Candle): CandleNumbers {
  return {
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
    volume: Number(volume),
  };
}

function sideOf(side: string): TradeSide {
  return side === 'buy' || side === 'sell' ? side : '';
}
