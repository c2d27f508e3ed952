import type { MarketEvent } from './market-event.ts';
import type { ClosedCandle } from './minute-candles.ts';

/** An event with its place in its symbol's history. */
export interface PublishedEvent {
  readonly sequence: number;
  readonly sourceId: string;
  readonly event: MarketEvent;
  /** Of a trade: the candle that it has closed, which counts before the trade does. */
  readonly closed: ClosedCandle | undefined;
}

/** A closed candle with the sequence of the event from which on it counts. */
export interface PlacedCandle extends ClosedCandle {
  readonly sequence: number;
  readonly sourceId: string;
}

/** Events, and candles of trades, that are kept of a symbol. */
export const KEPT_MAX = 5_000;

/** The candle that an event brings: a candle itself, or the one that a trade has closed. */
export function candleOf({ event, closed, sequence, sourceId }: PublishedEvent): PlacedCandle | undefined {
  if (event.kind === 'candle') return { closeTimeMs: event.timeMs, numbers: event.numbers, sequence, sourceId };
  return closed === undefined ? undefined : { ...closed, sequence, sourceId };
}
