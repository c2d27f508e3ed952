import type { CandleNumbers, TradeEvent } from './market-event.ts';

/** Interval of the candles that trades make. */
export const TRADE_CANDLE_MS = 60_000;

/** A candle that trades have made; `closeTimeMs` is the end of its minute. */
export interface ClosedCandle {
  readonly closeTimeMs: number;
  readonly numbers: CandleNumbers;
}

/** The candle of the minute that has not ended yet. Plain data: it is stored, so that a restart goes on in mid-minute. */
export interface OpenCandle {
  readonly closeTimeMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/**
 * Makes one-minute candles of trades. Minutes are aligned to the epoch; a trade at the very end of a minute belongs to the
 * next. A candle closes with the first trade at or after its end. A minute without trades makes no candle.
 */
export class MinuteCandles {
  #open: OpenCandle | undefined;

  constructor(open?: OpenCandle) {
    this.#open = open === undefined ? undefined : { ...open };
  }

  /** What `new MinuteCandles(…)` continues from. */
  get open(): OpenCandle | undefined {
    return this.#open === undefined ? undefined : { ...this.#open };
  }

  /** Takes the next trade; returns the candle that it closes, which does not contain it. Times must not fall. */
  add(trade: TradeEvent): ClosedCandle | undefined {
    const { priceNumber: price, amountNumber: amount } = trade;
    const candle = this.#open;
    if (candle !== undefined && trade.timeMs < candle.closeTimeMs) {
      if (price > candle.high) candle.high = price;
      if (price < candle.low) candle.low = price;
      candle.close = price;
      candle.volume += amount;
      return undefined;
    }
    const closeTimeMs = (Math.floor(trade.timeMs / TRADE_CANDLE_MS) + 1) * TRADE_CANDLE_MS;
    this.#open = { closeTimeMs, open: price, high: price, low: price, close: price, volume: amount };
    if (candle === undefined) return undefined;
    const { open, high, low, close, volume } = candle;
    return { closeTimeMs: candle.closeTimeMs, numbers: { open, high, low, close, volume } };
  }
}
