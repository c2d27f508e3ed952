import { createHash } from 'node:crypto';

/** One revision of an account, as it is told. `D` is the definition, in whatever form the caller keeps it. */
export interface StrategyChange<D> {
  readonly revision: number;
  readonly strategyId: string;
  readonly deleted: boolean;
  readonly definition: D;
  /** Of the account as of this revision; empty when it is not known. */
  readonly digest: string;
}

/** A strategy as the account has it now. */
export interface CachedStrategy<D> {
  readonly revision: number;
  readonly definition: D;
}

/** What became of a change that was offered. */
export type Offer =
  /** It was the next, and was applied, with those behind it that had been held. */
  | 'applied'
  | 'duplicate'
  /** Earlier ones are missing: it is held until they come. */
  | 'held'
  /** It was applied, and the result is not what the strategy service has: begin again from nothing. */
  | 'mismatch';

/** Changes that wait for earlier ones; more are dropped, because reading the log again brings them. */
const HELD_MAX = 1_000;

/**
 * The strategies of one account, built by applying every revision in order: the next is always `applied + 1`. Repeats change
 * nothing, and what comes too early waits. The digest tells whether the result is the store's.
 */
export class StrategyCache<D> {
  readonly #strategies = new Map<string, CachedStrategy<D>>();
  readonly #held = new Map<number, StrategyChange<D>>();
  readonly #changed: (strategyId: string) => void;
  #applied = 0;
  #digest: string | undefined;

  /** `changed` is told of each strategy that a change concerned, after it was applied. */
  constructor(changed: (strategyId: string) => void) {
    this.#changed = changed;
  }

  /** The newest revision that was applied; 0 at first. */
  get applied(): number {
    return this.#applied;
  }

  /** True while changes wait for earlier ones. */
  get gap(): boolean {
    return this.#held.size > 0;
  }

  /** SHA-256 over "<id>:<revision>\n" of every strategy, ordered by id, in hex; worked out when it is asked for. */
  get digest(): string {
    this.#digest ??= digestOf(this.#strategies);
    return this.#digest;
  }

  /** Undefined for a strategy that is deleted or not known. */
  get(strategyId: string): CachedStrategy<D> | undefined {
    return this.#strategies.get(strategyId);
  }

  offer(change: StrategyChange<D>): Offer {
    if (change.revision <= this.#applied) return 'duplicate';
    if (change.revision > this.#applied + 1) {
      if (this.#held.size < HELD_MAX) this.#held.set(change.revision, change);
      return 'held';
    }
    const concerned = new Set<string>();
    let last = change;
    for (
      let next: StrategyChange<D> | undefined = change;
      next !== undefined;
      next = this.#held.get(this.#applied + 1)
    ) {
      this.#apply(next);
      concerned.add(next.strategyId);
      last = next;
    }
    if (last.digest !== '' && last.digest !== this.digest) return 'mismatch';
    for (const strategyId of concerned) this.#changed(strategyId);
    return 'applied';
  }

  /** Compares with what the store says it has; false when the same revision has another digest. */
  agrees(revision: number, digest: string): boolean {
    return revision !== this.#applied || digest === '' || digest === this.digest;
  }

  /** Begins again from nothing. */
  reset(): void {
    this.#strategies.clear();
    this.#held.clear();
    this.#applied = 0;
    this.#digest = undefined;
  }

  #apply(change: StrategyChange<D>): void {
    this.#held.delete(change.revision);
    this.#applied = change.revision;
    this.#digest = undefined;
    if (change.deleted) this.#strategies.delete(change.strategyId);
    else this.#strategies.set(change.strategyId, { revision: change.revision, definition: change.definition });
  }
}

function digestOf(strategies: ReadonlyMap<string, CachedStrategy<unknown>>): string {
  const hash = createHash('sha256');
  const ids = [...strategies.keys()].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (const id of ids) hash.update(`${id}:${strategies.get(id)?.revision ?? 0}\n`);
  return hash.digest('hex');
}
