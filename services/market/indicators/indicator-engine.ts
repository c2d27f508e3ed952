import type { CandleNumbers, MarketEvent } from '../domain/market-event.ts';
import { MinuteCandles } from '../domain/minute-candles.ts';
import type { Computation } from './computation.ts';
import { PRICE } from './fields.ts';
import { computationKey, parseIndicatorId } from './indicator-id.ts';

/**
 * Computes indicators of one series, event by event. Ids that share a computation (the bands of one Bollinger, the parts of
 * one MACD) cost it once. Not shared between series.
 *
 * `update` returns the values in the order of the ids, NaN where an indicator has none yet. The array is the engine's own and
 * is overwritten by the next update: copy what you keep.
 */
export class IndicatorEngine {
  /** The ids as they are computed, in the order given; repeated ones included. */
  readonly ids: readonly string[];
  /** Candles until every one of them has a value, in a series without gaps. */
  readonly warmUp: number;
  readonly #computations: readonly Computation[];
  /** For each id, where its value stands: the computation's values and the place in them; undefined for the price. */
  readonly #sources: readonly (Float64Array | undefined)[];
  readonly #places: readonly number[];
  readonly #values: Float64Array;
  readonly #minutes = new MinuteCandles();

  /** @throws UnknownIndicatorError for the first id that cannot be computed. */
  constructor(ids: readonly string[]) {
    const parsed = ids.map(parseIndicatorId);
    const computations = new Map<string, Computation>();
    this.ids = parsed.map(({ normalisedId }) => normalisedId);
    this.warmUp = Math.max(0, ...parsed.map(({ warmUp }) => warmUp));
    this.#sources = parsed.map((id) => {
      if (id.family.family === PRICE) return undefined;
      const key = computationKey(id);
      const known = computations.get(key) ?? id.family.create(id.parameters);
      computations.set(key, known);
      return known.values;
    });
    this.#places = parsed.map(({ output }) => output);
    this.#computations = [...computations.values()];
    this.#values = new Float64Array(ids.length).fill(Number.NaN);
  }

  /** Takes the next event, in order of time. Trades make one-minute candles on the way. */
  update(event: MarketEvent): Float64Array {
    if (event.kind === 'candle') {
      this.#feed(event.numbers, event.timeMs);
      return this.#collect(event.numbers.close);
    }
    const closed = this.#minutes.add(event);
    if (closed !== undefined) this.#feed(closed.numbers, closed.closeTimeMs);
    return this.#collect(event.priceNumber);
  }

  #feed(candle: CandleNumbers, closeTimeMs: number): void {
    for (const computation of this.#computations) computation.update(candle, closeTimeMs);
  }

  #collect(price: number): Float64Array {
    const values = this.#values;
    const places = this.#places;
    for (let at = 0; at < values.length; at += 1) {
      const source = this.#sources[at];
      values[at] = source === undefined ? price : source[places[at]!]!;
    }
    return values;
  }
}
