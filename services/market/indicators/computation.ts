import type { CandleNumbers } from '../domain/market-event.ts';

/** One indicator with its parameters, fed with every closed candle of a series in order. */
export interface Computation {
  /** The newest values, one an output of the family, in the family's order; NaN where there is none. Never replaced. */
  readonly values: Float64Array;
  update(candle: CandleNumbers, closeTimeMs: number): void;
}

/** The last `size` numbers, oldest first; sums are taken anew each time, so that a value depends on its window alone. */
export class NumberWindow {
  protected readonly values: Float64Array;
  #next = 0;
  #count = 0;
  #newest = Number.NaN;
  #alike = 0;

  constructor(size: number) {
    this.values = new Float64Array(size);
  }

  /** True when all of its numbers are the same. Then their spread is 0, whatever rounding leaves of it. */
  get flat(): boolean {
    return this.#alike >= this.values.length;
  }

  get full(): boolean {
    return this.#count === this.values.length;
  }

  push(value: number): void {
    this.#alike = value === this.#newest ? this.#alike + 1 : 1;
    this.#newest = value;
    this.values[this.#next] = value;
    this.#next = this.#next + 1 === this.values.length ? 0 : this.#next + 1;
    if (this.#count < this.values.length) this.#count += 1;
  }

  /** Added from the oldest to the newest. */
  sum(): number {
    const values = this.values;
    let sum = 0;
    const { length } = values;
    for (let at = this.#next; at < length; at += 1) sum += values[at]!;
    for (let at = 0; at < this.#next; at += 1) sum += values[at]!;
    return sum;
  }
}

/** As `NumberWindow`, with the spread of its numbers. */
export class SpreadWindow extends NumberWindow {
  /** Mean of the squared distances to `middle`: the population variance when that is the mean. */
  variance(middle: number): number {
    let sum = 0;
    const { length } = this.values;
    for (let at = 0; at < length; at += 1) sum += (this.values[at]! - middle) ** 2;
    return sum / length;
  }
}

/** The greatest of the last `size` numbers (`sign` 1) or the smallest (`sign` -1), each number being looked at twice at most. */
export class ExtremeWindow {
  readonly #size: number;
  readonly #sign: 1 | -1;
  readonly #values: Float64Array;
  readonly #places: Float64Array;
  #head = 0;
  #length = 0;
  #seen = 0;

  constructor(size: number, sign: 1 | -1) {
    this.#size = size;
    this.#sign = sign;
    this.#values = new Float64Array(size);
    this.#places = new Float64Array(size);
  }

  /** Takes the next number; the extreme of the window, NaN until the window has been seen. */
  push(value: number): number {
    const size = this.#size;
    if (this.#length > 0 && this.#places[this.#head]! <= this.#seen - size) {
      this.#head = (this.#head + 1) % size;
      this.#length -= 1;
    }
    const signed = value * this.#sign;
    while (this.#length > 0 && this.#values[(this.#head + this.#length - 1) % size]! <= signed) this.#length -= 1;
    const at = (this.#head + this.#length) % size;
    this.#values[at] = signed;
    this.#places[at] = this.#seen;
    this.#length += 1;
    this.#seen += 1;
    return this.#seen < size ? Number.NaN : this.#values[this.#head]! * this.#sign;
  }
}

/** Closes of the last `spanMs`, to find the one of exactly that long ago. */
export class CloseAgo {
  readonly #spanMs: number;
  #times: number[] = [];
  #closes: number[] = [];
  #head = 0;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** Takes the next close; gives the close of the candle that closed exactly `spanMs` earlier, NaN when there is none. */
  push(close: number, closeTimeMs: number): number {
    const wanted = closeTimeMs - this.#spanMs;
    const times = this.#times;
    while (this.#head < times.length && times[this.#head]! < wanted) this.#head += 1;
    const found = times[this.#head] === wanted ? this.#closes[this.#head]! : Number.NaN;
    times.push(closeTimeMs);
    this.#closes.push(close);
    if (this.#head > 512 && this.#head * 2 > times.length) {
      this.#times = times.slice(this.#head);
      this.#closes = this.#closes.slice(this.#head);
      this.#head = 0;
    }
    return found;
  }
}
