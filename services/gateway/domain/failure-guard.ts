import { type RateLimit, RateLimiter } from './token-bucket.ts';

/** Credentials that were right remain welcome for this long, whatever others do from the same address. */
const TRUST_MS = 10 * 60_000;
const TRUSTED_MAX = 20_000;

/**
 * Slows down guessing: an address that presents wrong credentials uses up a bucket, and is then refused before anything is
 * looked up. Credentials that were right a short while ago are exempt, because many callers may share one address.
 */
export class FailureGuard {
  readonly #failures: RateLimiter;
  readonly #trustedUntilMs = new Map<string, number>();

  constructor(limit: RateLimit) {
    this.#failures = new RateLimiter(limit);
  }

  /** 0 when the attempt may go on, otherwise the milliseconds to wait. `credential` is a digest, never the secret. */
  waitMs(address: string, credential: string, nowMs: number): number {
    if ((this.#trustedUntilMs.get(credential) ?? 0) > nowMs) return 0;
    return this.#failures.peek(address, nowMs);
  }

  failed(address: string, credential: string, nowMs: number): void {
    this.#trustedUntilMs.delete(credential);
    this.#failures.take(address, nowMs);
  }

  succeeded(credential: string, nowMs: number): void {
    this.#trustedUntilMs.delete(credential);
    this.#trustedUntilMs.set(credential, nowMs + TRUST_MS);
    if (this.#trustedUntilMs.size > TRUSTED_MAX) {
      const oldest = this.#trustedUntilMs.keys().next();
      if (oldest.done !== true) this.#trustedUntilMs.delete(oldest.value);
    }
  }
}
