import { Batcher } from '../platform/batcher.ts';
import type { Clock } from '../platform/clock.ts';
import { notFound } from '../platform/errors.ts';
import { type Executor, isId } from './domain/executor.ts';
import type { ExecutorDirectory } from './domain/executor-book.ts';

/** How old an answer may be, and how long ago somebody may last have looked for changes where it is older. */
const FRESH_MS = 1_000;
/** What was never seen to change is read again nevertheless; while it is in use before that, together with others. */
const ENTRY_MS_MAX = 30_000;
const RENEW_AFTER_MS = 20_000;
/** What nobody waits for is read with whatever else comes within this. */
const GATHER_MS = 100;
const ENTRIES_MAX = 40_000;
/** A few milliseconds of reading: who waits for another executor meanwhile waits behind it. */
const KEYS_PER_LOAD_MAX = 100;
const LOADS_MAX = 2;

interface Key {
  readonly accountId: string;
  readonly nameOrId: string;
}

interface Entry {
  readonly executor: Executor;
  readonly loadedMs: number;
}

/** Answers each key in order; undefined where the account has no such executor. */
export type LoadExecutors = (keys: readonly Key[]) => Promise<readonly (Executor | undefined)[]>;

/**
 * The executors of all accounts by name and id, remembered for a second, so that a stream of commands to one executor costs
 * one statement a second. While somebody looks for changed executors and tells, what has not changed is remembered longer:
 * commands to a thousand executors, each seldom, were a statement each. Nobody waits for what is known to be needed: an
 * executor that connects, one that has changed and one whose entry ages are read by the hundred beforehand. What is not there is
 * not remembered: an executor may be used right after it was created.
 */
export class CachedDirectory implements ExecutorDirectory {
  readonly #clock: Clock;
  readonly #loads: Batcher<Key, Executor | undefined>;
  /** In order of loading: the oldest go first. */
  readonly #entries = new Map<string, Entry>();
  readonly #keysById = new Map<string, Set<string>>();
  readonly #loading = new Map<string, Promise<Executor | undefined>>();
  /** Which executors were invalidated since the oldest load in progress began, and when in the order of things. */
  readonly #invalidated = new Map<string, number>();
  /** To be read beforehand. */
  readonly #due = new Map<string, Key>();
  #gathers = false;
  #tick = 0;
  /** Every change that was committed by then has been told. */
  #lookedMs = -Infinity;

  constructor(load: LoadExecutors, clock: Clock) {
    this.#clock = clock;
    this.#loads = new Batcher({
      itemsMax: KEYS_PER_LOAD_MAX,
      concurrency: LOADS_MAX,
      flush: async (keys) => [...(await load(keys))],
    });
  }

  async find(accountId: string, nameOrId: string): Promise<Executor | undefined> {
    // Ids are written in lower case; a caller may have shouted.
    const key = { accountId, nameOrId: isId(nameOrId) ? nameOrId.toLowerCase() : nameOrId };
    const cacheKey = cacheKeyOf(accountId, key.nameOrId);
    const entry = this.#entries.get(cacheKey);
    if (entry !== undefined && this.#isFresh(entry)) {
      if (this.#clock.steadyMs() - entry.loadedMs > RENEW_AFTER_MS) this.warm(accountId, entry.executor.id);
      return entry.executor;
    }
    return this.#loadOnce(key, cacheKey);
  }

  /** Reads the executor soon, for whoever will ask for it. */
  warm(accountId: string, executorId: string): void {
    this.#due.set(cacheKeyOf(accountId, executorId), { accountId, nameOrId: executorId });
    if (this.#gathers) return;
    this.#gathers = true;
    this.#clock.after(GATHER_MS, () => {
      this.#gathers = false;
      // Who asks for one that cannot be read meets the fault as well, and is told.
      for (const [cacheKey, key] of this.#due) this.#loadOnce(key, cacheKey).catch(() => undefined);
      this.#due.clear();
    });
  }

  async #loadOnce(key: Key, cacheKey: string): Promise<Executor | undefined> {
    const running = this.#loading.get(cacheKey);
    if (running !== undefined) return running;
    const loading = this.#load(key);
    this.#loading.set(cacheKey, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(cacheKey);
      if (this.#loading.size === 0) this.#invalidated.clear();
    }
  }

  async resolve(accountId: string, nameOrId: string): Promise<Executor> {
    const executor = await this.find(accountId, nameOrId);
    if (executor === undefined) throw notFound('executor', nameOrId);
    return executor;
  }

  async names(accountId: string, ids: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const found = await Promise.all([...new Set(ids)].map((id) => this.find(accountId, id)));
    return new Map(
      found.flatMap((executor) => (executor === undefined ? [] : [[executor.id, executor.name] as const])),
    );
  }

  invalidate(executorId: string): void {
    if (this.#loading.size > 0) this.#invalidated.set(executorId, ++this.#tick);
    for (const key of this.#keysById.get(executorId) ?? []) this.#entries.delete(key);
    this.#keysById.delete(executorId);
  }

  /** Somebody has looked at `atMs`, of the steady clock, which executors have changed since the last look: these. */
  changed(executorIds: Iterable<string>, atMs: number): void {
    for (const id of executorIds) {
      const [known] = this.#keysById.get(id) ?? [];
      const accountId = known === undefined ? undefined : this.#entries.get(known)?.executor.accountId;
      this.invalidate(id);
      if (accountId !== undefined) this.warm(accountId, id);
    }
    this.#lookedMs = Math.max(this.#lookedMs, atMs);
  }

  #isFresh({ loadedMs }: Entry): boolean {
    const nowMs = this.#clock.steadyMs();
    if (nowMs - loadedMs < FRESH_MS) return true;
    return nowMs - this.#lookedMs < FRESH_MS && nowMs - loadedMs < ENTRY_MS_MAX;
  }

  /** Loads until what was read is not older than the last invalidation, so that nobody is told what is known to be over. */
  async #load(key: Key): Promise<Executor | undefined> {
    for (;;) {
      const startTick = this.#tick;
      const loadedMs = this.#clock.steadyMs();
      const executor = await this.#loads.add(key);
      if (executor === undefined) return undefined;
      if ((this.#invalidated.get(executor.id) ?? 0) > startTick) continue;
      // Who names it by name is followed by those who have its id.
      this.#remember(cacheKeyOf(key.accountId, executor.name), { executor, loadedMs });
      this.#remember(cacheKeyOf(key.accountId, executor.id), { executor, loadedMs });
      return executor;
    }
  }

  #remember(cacheKey: string, entry: Entry): void {
    this.#entries.delete(cacheKey);
    this.#entries.set(cacheKey, entry);
    const keys = this.#keysById.get(entry.executor.id);
    if (keys === undefined) this.#keysById.set(entry.executor.id, new Set([cacheKey]));
    else keys.add(cacheKey);
    if (this.#entries.size <= ENTRIES_MAX) return;
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    this.#entries.delete(oldest[0]);
    const rest = this.#keysById.get(oldest[1].executor.id);
    rest?.delete(oldest[0]);
    if (rest?.size === 0) this.#keysById.delete(oldest[1].executor.id);
  }
}

function cacheKeyOf(accountId: string, nameOrId: string): string {
  return `${accountId}\0${nameOrId}`;
}
