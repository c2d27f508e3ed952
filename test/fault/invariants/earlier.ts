/**
 * Answers "of everything placed before a point, which has the highest rank?" in logarithmic time, so that histories of many
 * thousand commands are compared without looking at every pair.
 */
export class Earlier<T> {
  readonly #placed: readonly { readonly place: number; readonly highest: T }[];

  constructor(items: readonly T[], place: (item: T) => number, rank: (item: T) => number) {
    let highest: T | undefined;
    this.#placed = items
      .toSorted((a, b) => place(a) - place(b))
      .map((item) => {
        if (highest === undefined || rank(item) > rank(highest)) highest = item;
        return { place: place(item), highest };
      });
  }

  /** The item with the highest rank among those whose place is below `point`. */
  highestBefore(point: number): T | undefined {
    let low = 0;
    let high = this.#placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#placed[middle]?.place ?? Number.POSITIVE_INFINITY) < point) low = middle + 1;
      else high = middle;
    }
    return this.#placed[low - 1]?.highest;
  }
}
