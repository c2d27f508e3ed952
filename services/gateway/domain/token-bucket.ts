/** A steady rate with room for bursts. */
export interface RateLimit {
  readonly perSecond: number;
  /** Requests that may come at once after a quiet time. */
  readonly burst: number;
}

interface Bucket {
  level: number;
  atMs: number;
}

/** Keys that are remembered at once; the one that was used least recently is forgotten first, which refills its bucket. */
const KEYS_MAX = 20_000;

/** Token buckets by key, such as an address or a token id. Time is passed in; memory is bounded. */
export class RateLimiter {
  readonly limit: RateLimit;
  readonly #keysMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, keysMax = KEYS_MAX) {
    this.limit = limit;
    this.#keysMax = keysMax;
  }

  /** Takes one. Returns 0 when there was one, otherwise the milliseconds until there will be; a refusal costs nothing. */
  take(key: string, nowMs: number): number {
    const bucket = this.#refilled(key, nowMs);
    if (bucket.level >= 1) {
      bucket.level -= 1;
      return 0;
    }
    return this.#waitMs(bucket);
  }

  /** As `take`, without taking. */
  peek(key: string, nowMs: number): number {
    const bucket = this.#refilled(key, nowMs);
    return bucket.level >= 1 ? 0 : this.#waitMs(bucket);
  }

  get size(): number {
    return this.#buckets.size;
  }

  #waitMs(bucket: Bucket): number {
    return Math.max(1, Math.ceil(((1 - bucket.level) / this.limit.perSecond) * 1_000));
  }

  #refilled(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    const bucket = known ?? { level: this.limit.burst, atMs: nowMs };
    // A clock that was set back must not drain the bucket.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.level = Math.min(this.limit.burst, bucket.level + (elapsedMs * this.limit.perSecond) / 1_000);
    bucket.atMs = nowMs;
    // Deleting and setting moves the key to the end of the map's order, which is therefore the order of last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keysMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    return bucket;
  }
}
