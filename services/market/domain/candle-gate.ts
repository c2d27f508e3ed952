import type { CandleEvent } from './market-event.ts';
import type { CandleRow } from './row.ts';
import type { SeriesCounter } from './series-stats.ts';

/**
 * Lets the candles of one series through in order of time, and counts what it leaves out. A candle that opens when the one
 * before has not ended is malformed: intervals of a series do not overlap.
 */
export class CandleGate {
  readonly #intervalMs: number;
  readonly #counter: SeriesCounter;
  #lastOpenMs: number;

  /** `lastOpenMs`: open time of the candle that was let through last, before a restart. */
  constructor(intervalMs: number, counter: SeriesCounter, lastOpenMs = Number.NEGATIVE_INFINITY) {
    this.#intervalMs = intervalMs;
    this.#counter = counter;
    this.#lastOpenMs = lastOpenMs;
  }

  /** `where` names the row in faults, such as "row 17". */
  admit(row: CandleRow, where: string): CandleEvent | undefined {
    const { timestampMs, open, high, low, close, volume, numbers } = row;
    const stepMs = timestampMs - this.#lastOpenMs;
    if (stepMs < this.#intervalMs) {
      if (stepMs === 0) this.#counter.fault('duplicates', `${where}: there was a candle of ${timestampMs} before`);
      else if (stepMs < 0)
        this.#counter.fault('outOfOrder', `${where}: ${timestampMs} comes after ${this.#lastOpenMs}`);
      else this.#counter.fault('malformed', `${where}: ${timestampMs} begins within the candle of ${this.#lastOpenMs}`);
      return undefined;
    }
    if (stepMs > this.#intervalMs && Number.isFinite(stepMs)) {
      this.#counter.gap(Math.ceil(stepMs / this.#intervalMs) - 1);
    }
    this.#lastOpenMs = timestampMs;
    this.#counter.event();
    const timeMs = timestampMs + this.#intervalMs;
    return { kind: 'candle', timeMs, openTimeMs: timestampMs, open, high, low, close, volume, numbers };
  }
}
