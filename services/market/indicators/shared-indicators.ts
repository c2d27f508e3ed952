import type { ClosedCandle } from '../domain/minute-candles.ts';
import type { Computation } from './computation.ts';
import { PRICE } from './fields.ts';
import { computationKey, type IndicatorId } from './indicator-id.ts';

/** Where each id's value stands in a snapshot. A new one is made whenever ids come or go. */
export type Layout = ReadonlyMap<string, number>;

interface Used {
  computation: Computation;
  readonly id: IndicatorId;
  users: number;
}

interface Slot {
  readonly id: IndicatorId;
  users: number;
}

/** The computations that a set of ids needs, by key; the price needs none. */
export function freshComputations(ids: readonly IndicatorId[]): Map<string, Computation> {
  const fresh = new Map<string, Computation>();
  for (const id of ids) {
    const key = computationKey(id);
    if (id.family.family !== PRICE && !fresh.has(key)) fresh.set(key, id.family.create(id.parameters));
  }
  return fresh;
}

/** Values in the order of the ids. */
export function valuesOf(
  ids: readonly IndicatorId[],
  computations: ReadonlyMap<string, Computation>,
  price: number,
): number[] {
  return ids.map((id) => {
    if (id.family.family === PRICE) return price;
    return computations.get(computationKey(id))?.values[id.output] ?? Number.NaN;
  });
}

/** The indicators of one symbol, computed once for all who watch them and only while somebody does. */
export class SharedIndicators {
  readonly #used = new Map<string, Used>();
  readonly #slots = new Map<string, Slot>();
  #layout: Layout = new Map();
  #sources: readonly (readonly [Float64Array | undefined, number])[] = [];

  /** Where values stand in the snapshots that are taken from now on. */
  get layout(): Layout {
    return this.#layout;
  }

  /** Computations that run, for tests and figures. */
  get computations(): number {
    return this.#used.size;
  }

  /** Counts users of the ids. `warmed` holds computations that have seen all that is kept; those not running yet are taken from it. */
  acquire(ids: readonly IndicatorId[], warmed: ReadonlyMap<string, Computation>): void {
    for (const id of ids) {
      const slot = this.#slots.get(id.normalisedId) ?? { id, users: 0 };
      slot.users += 1;
      this.#slots.set(id.normalisedId, slot);
      if (id.family.family === PRICE) continue;
      const key = computationKey(id);
      const used = this.#used.get(key) ?? {
        computation: warmed.get(key) ?? id.family.create(id.parameters),
        id,
        users: 0,
      };
      used.users += 1;
      this.#used.set(key, used);
    }
    this.#lay();
  }

  release(ids: readonly IndicatorId[]): void {
    for (const id of ids) {
      const slot = this.#slots.get(id.normalisedId);
      if (slot !== undefined && --slot.users === 0) this.#slots.delete(id.normalisedId);
      const key = computationKey(id);
      const used = this.#used.get(key);
      if (used !== undefined && --used.users === 0) this.#used.delete(key);
    }
    this.#lay();
  }

  feed({ numbers, closeTimeMs }: ClosedCandle): void {
    for (const { computation } of this.#used.values()) computation.update(numbers, closeTimeMs);
  }

  /** All values as of now, placed as `layout` says; undefined when nobody wants any. */
  snapshot(price: number): Float64Array | undefined {
    const sources = this.#sources;
    if (sources.length === 0) return undefined;
    const values = new Float64Array(sources.length);
    for (let at = 0; at < sources.length; at += 1) {
      const [source, place] = sources[at]!;
      values[at] = source === undefined ? price : source[place]!;
    }
    return values;
  }

  /** Another series begins: everything starts anew. */
  reset(): void {
    for (const used of this.#used.values()) used.computation = used.id.family.create(used.id.parameters);
    this.#lay();
  }

  #lay(): void {
    const slots = [...this.#slots.values()];
    this.#layout = new Map(slots.map(({ id }, at) => [id.normalisedId, at]));
    this.#sources = slots.map(({ id }) => [this.#used.get(computationKey(id))?.computation.values, id.output]);
  }
}
