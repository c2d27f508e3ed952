import { EXECUTOR_KEY } from './ordering-key.ts';

/** What has to be known of a command that could not go out at once, and of one that might. */
export interface Arrival {
  readonly sequence: number;
  readonly orderingKey: string;
}

/**
 * Commands of one batch that have to wait. Until the batch is stored they stand in no queue, and what is stored with them must
 * not overtake them. A look costs the depth of the key, however many wait.
 */
export class TurnedAway {
  readonly #keys = new Set<string>();
  /** Those keys and every key around them. */
  readonly #around = new Set<string>();
  #first = Infinity;

  /** Remembers that the command waits. */
  add({ sequence, orderingKey }: Arrival): void {
    this.#first = Math.min(this.#first, sequence);
    if (orderingKey === '') return;
    this.#keys.add(orderingKey);
    for (const key of keysAround(orderingKey)) this.#around.add(key);
  }

  /**
   * True when a command that waits has a related key. `newest` is the highest sequence that is stored: a batch that is stored,
   * or that begins anew with the same numbers because it was not, is forgotten.
   */
  holdBack({ sequence, orderingKey }: Arrival, newest: number): boolean {
    if (this.#first <= newest || this.#first >= sequence) this.#forget();
    if (this.#around.size === 0) return false;
    return this.#around.has(orderingKey) || keysAround(orderingKey).some((key) => this.#keys.has(key));
  }

  #forget(): void {
    // Clearing makes a new table even of an empty set.
    if (this.#keys.size > 0) this.#keys.clear();
    if (this.#around.size > 0) this.#around.clear();
    this.#first = Infinity;
  }
}

/** The key and every key that contains it, widest first; none for the empty key. */
function keysAround(orderingKey: string): string[] {
  if (orderingKey === '') return [];
  const keys = [EXECUTOR_KEY];
  for (let end = orderingKey.indexOf('/', 1); end !== -1; end = orderingKey.indexOf('/', end + 1)) {
    keys.push(orderingKey.slice(0, end));
  }
  if (orderingKey !== EXECUTOR_KEY) keys.push(orderingKey);
  return keys;
}
