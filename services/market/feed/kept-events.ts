/** A list that keeps at least its newest `kept` items; each has a place that it never loses while it is kept. */
export class KeptList<T> {
  readonly #kept: number;
  #items: T[] = [];
  #first = 0;

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Place of the oldest item that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Place that the next item will have. */
  get end(): number {
    return this.#first + this.#items.length;
  }

  get newest(): T | undefined {
    return this.#items.at(-1);
  }

  /** The items, oldest first; not to be changed. */
  get items(): readonly T[] {
    return this.#items;
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#kept) {
      this.#first += this.#items.length - this.#kept;
      this.#items = this.#items.slice(-this.#kept);
    }
  }

  /** Up to `count` items from `place` on, which must be kept. */
  from(place: number, count: number): T[] {
    const at = place - this.#first;
    return this.#items.slice(at, at + count);
  }

  clear(): void {
    this.#first += this.#items.length;
    this.#items = [];
  }
}
