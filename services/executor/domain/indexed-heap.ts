/**
 * A binary heap whose items can be removed and re-ordered by identity, each in O(log n). `before` must be a strict total order
 * on the items it holds; an item whose rank changed must be passed to `update`.
 */
export class IndexedHeap<T> {
  readonly #items: T[] = [];
  readonly #position = new Map<T, number>();
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item by `before`, left in place. */
  peek(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#position.has(item);
  }

  /** Puts `item` in, or moves it to where it belongs now. */
  update(item: T): void {
    const at = this.#position.get(item) ?? this.#items.length;
    this.#place(item, at);
    this.#down(this.#up(at));
  }

  /** Takes `item` out; false when it was not in. */
  delete(item: T): boolean {
    const at = this.#position.get(item);
    if (at === undefined) return false;
    this.#position.delete(item);
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#place(last, at);
      this.#down(this.#up(at));
    }
    return true;
  }

  /** Takes the first item out. */
  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(first);
    return first;
  }

  /** Items for which `holds` is true, provided that it is never true for an item after one for which it is false. */
  leading(holds: (item: T) => boolean): T[] {
    const found: T[] = [];
    const open = [0];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const item = this.#items[at];
      if (item === undefined || !holds(item)) continue;
      found.push(item);
      open.push(2 * at + 1, 2 * at + 2);
    }
    return found;
  }

  #place(item: T, at: number): void {
    this.#items[at] = item;
    this.#position.set(item, at);
  }

  #up(from: number): number {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) break;
      at = parent;
    }
    return at;
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      const left = this.#items[2 * at + 1];
      if (left === undefined) return;
      const right = this.#items[2 * at + 2];
      const child = 2 * at + (right !== undefined && this.#before(right, left) ? 2 : 1);
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  /** Swaps when the item at `child` comes before the one at `parent`. */
  #swapIfBefore(child: number, parent: number): boolean {
    const lower = this.#items[child];
    const upper = this.#items[parent];
    if (lower === undefined || upper === undefined || !this.#before(lower, upper)) return false;
    this.#place(lower, parent);
    this.#place(upper, child);
    return true;
  }
}
