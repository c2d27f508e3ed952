/** What a new set holds; replaced, never filled. */
const NONE: number[] = [];

/**
 * A set of sequence numbers that gives its least member at once. Numbers come almost in order and leave almost in order, so
 * an ascending array with a moving head and lazy removal costs a few operations each, also with tens of thousands queued.
 */
export class SequenceSet {
  #ascending: number[] = NONE;
  #head = 0;
  /** Made when first needed: most sets hold one number that comes and goes, and a tree of keys has two sets a node. */
  #removed: Set<number> | undefined;

  add(sequence: number): void {
    if (this.#removed?.delete(sequence) === true) return;
    if (this.#head === this.#ascending.length) {
      // A literal of one holds just that; an array that is pushed to makes room for seventeen.
      this.#ascending = [sequence];
      this.#head = 0;
      return;
    }
    const last = this.#ascending.at(-1);
    if (last === undefined || last < sequence) {
      this.#ascending.push(sequence);
      return;
    }
    let low = this.#head;
    let high = this.#ascending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ascending[middle] ?? Infinity) < sequence) low = middle + 1;
      else high = middle;
    }
    if (this.#ascending[low] !== sequence) this.#ascending.splice(low, 0, sequence);
  }

  /** `sequence` must be a member. */
  remove(sequence: number): void {
    if (this.#ascending[this.#head] === sequence) this.#head++;
    else (this.#removed ??= new Set()).add(sequence);
    this.#skipRemoved();
  }

  /** Another set of the same members. */
  copy(): SequenceSet {
    const copy = new SequenceSet();
    if (this.size > 0) copy.#ascending = this.below(Infinity, Infinity);
    return copy;
  }

  /** Undefined when empty. */
  min(): number | undefined {
    return this.#ascending[this.#head];
  }

  get size(): number {
    return this.#ascending.length - this.#head - (this.#removed?.size ?? 0);
  }

  /** Members below `limit`, ascending, at most `max` of them. */
  below(limit: number, max: number): number[] {
    const found: number[] = [];
    for (let i = this.#head; i < this.#ascending.length && found.length < max; i++) {
      const sequence = this.#ascending[i];
      if (sequence === undefined || sequence >= limit) break;
      if (this.#removed?.has(sequence) !== true) found.push(sequence);
    }
    return found;
  }

  #skipRemoved(): void {
    while (this.#removed !== undefined && this.#removed.size > 0) {
      const first = this.#ascending[this.#head];
      if (first === undefined || !this.#removed.delete(first)) break;
      this.#head++;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#ascending.length) {
      this.#ascending = this.#ascending.slice(this.#head);
      this.#head = 0;
    }
  }
}
