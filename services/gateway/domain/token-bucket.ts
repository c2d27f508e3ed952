/** A steady rate with room for bursts. */
export interface RateLimit {
  readonly perSecond: number;
  /** Requests that may come at once after a quiet time. */
  readonly burst: number;
}

/** A bucket as the time at which it will be full again, which takes no rounding. */
interface Bucket {
  fullAtMs: number;
  /** Time of the last look. */
  atMs: number;
}

/** Keys that are remembered at once; the one that was used least recently is forgotten first, which refills its bucket. */
const KEYS_MAX = 20_000;

/** Token buckets by key, such as an address or a token id. Time is passed in; memory is bounded. */
export class RateLimiter {
  readonly limit: RateLimit;
  readonly #intervalMs: number;
  readonly #keysMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, keysMax = KEYS_MAX) {
    this.limit = limit;
    this.#intervalMs = 1_000 / limit.perSecond;
    this.#keysMax = keysMax;
  }

  /** Takes one. Returns 0 when there was one, otherwise the milliseconds until there will be; a refusal costs nothing. */
  take(key: string, nowMs: number): number {
    const bucket = this.#bucket(key, nowMs);
    const waitMs = this.#waitMs(bucket, nowMs);
    if (waitMs === 0) bucket.fullAtMs += this.#intervalMs;
    return waitMs;
  }

  /** As `take`, without taking. */
  peek(key: string, nowMs: number): number {
    return this.#waitMs(this.#bucket(key, nowMs), nowMs);
  }

  get size(): number {
    return this.#buckets.size;
  }

  #waitMs(bucket: Bucket, nowMs: number): number {
    const oneLeftAtMs = bucket.fullAtMs - (this.limit.burst - 1) * this.#intervalMs;
    return Math.max(0, Math.ceil(oneLeftAtMs - nowMs));
  }

  #bucket(key: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(key) ?? { fullAtMs: nowMs, atMs: nowMs };
    // A clock that was set back must not empty the bucket.
    if (nowMs < bucket.atMs) bucket.fullAtMs -= bucket.atMs - nowMs;
    bucket.fullAtMs = Math.max(bucket.fullAtMs, nowMs);
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
