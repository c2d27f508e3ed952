/** What a candle says, as numbers: indicators compute with these. */
export interface CandleNumbers {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** A closed candle. Prices are kept as the source wrote them; `numbers` are the same for computing. */
export interface CandleEvent {
  readonly kind: 'candle';
  /** Market time at which it counts: its close, `openTimeMs` plus the interval. Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly openTimeMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly numbers: CandleNumbers;
}

export type TradeSide = 'buy' | 'sell' | '';

/** One trade. */
export interface TradeEvent {
  readonly kind: 'trade';
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly price: string;
  readonly amount: string;
  readonly side: TradeSide;
  readonly priceNumber: number;
  readonly amountNumber: number;
}

/** What a market consists of, one after another. */
export type MarketEvent = CandleEvent | TradeEvent;

/** The price that an event stands for: a candle's close, a trade's price. Decimal text. */
export function priceText(event: MarketEvent): string {
  return event.kind === 'candle' ? event.close : event.price;
}

/** As `priceText`, for computing. */
export function priceNumber(event: MarketEvent): number {
  return event.kind === 'candle' ? event.numbers.close : event.priceNumber;
}
