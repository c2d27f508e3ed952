import type { MarketEvent, TradeSide } from '../domain/market-event.ts';
import { candleOf, type PlacedCandle, type PublishedEvent } from '../domain/published-event.ts';

export interface EventRow {
  readonly sequence: number;
  readonly source_id: string;
  readonly time_ms: number;
  readonly open_time_ms: number | null;
  readonly open: string | null;
  readonly high: string | null;
  readonly low: string | null;
  readonly close: string;
  readonly volume: string;
  readonly side: TradeSide;
}

export interface CandleRow {
  readonly sequence: number;
  readonly source_id: string;
  readonly close_time_ms: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** The arrays of `advanceSource`, from its ninth parameter on. */
export function eventArrays(events: readonly PublishedEvent[]): unknown[] {
  const candles = events.flatMap((one) => (one.event.kind === 'trade' ? (candleOf(one) ?? []) : []));
  const of = <T>(pick: (event: MarketEvent) => T): T[] => events.map(({ event }) => pick(event));
  return [
    events.map(({ sequence }) => sequence),
    of((event) => event.timeMs),
    of((event) => (event.kind === 'candle' ? event.openTimeMs : null)),
    of((event) => (event.kind === 'candle' ? event.open : null)),
    of((event) => (event.kind === 'candle' ? event.high : null)),
    of((event) => (event.kind === 'candle' ? event.low : null)),
    of((event) => (event.kind === 'candle' ? event.close : event.price)),
    of((event) => (event.kind === 'candle' ? event.volume : event.amount)),
    of((event) => (event.kind === 'candle' ? '' : event.side)),
    candles.map(({ sequence }) => sequence),
    candles.map(({ closeTimeMs }) => closeTimeMs),
    candles.map(({ numbers }) => numbers.open),
    candles.map(({ numbers }) => numbers.high),
    candles.map(({ numbers }) => numbers.low),
    candles.map(({ numbers }) => numbers.close),
    candles.map(({ numbers }) => numbers.volume),
  ];
}

export function placedCandleOf(row: CandleRow): PlacedCandle {
  const { open, high, low, close, volume } = row;
  return {
    sequence: row.sequence,
    sourceId: row.source_id,
    closeTimeMs: row.close_time_ms,
    numbers: { open, high, low, close, volume },
  };
}

/** `closed` is found among the candles by its sequence. */
export function publishedEventOf(row: EventRow, closed: PlacedCandle | undefined): PublishedEvent {
  const { sequence, source_id: sourceId, time_ms: timeMs, open_time_ms: openTimeMs, close, volume, side } = row;
  if (openTimeMs === null) {
    const numbers = { priceNumber: Number(close), amountNumber: Number(volume) };
    const event: MarketEvent = { kind: 'trade', timeMs, price: close, amount: volume, side, ...numbers };
    return { sequence, sourceId, event, closed };
  }
  const { open, high, low } = { open: row.open ?? close, high: row.high ?? close, low: row.low ?? close };
  const numbers = {
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
    volume: Number(volume),
  };
  const event: MarketEvent = { kind: 'candle', timeMs, openTimeMs, open, high, low, close, volume, numbers };
  return { sequence, sourceId, event, closed: undefined };
}
