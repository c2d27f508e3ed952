import type { Clock } from '../../platform/clock.ts';
import type { StoredToken } from '../domain/token.ts';

/**
 * Age up to which a token that was read may still be used. Counted from before the read began and below the second in which a
 * revocation must hold everywhere. There is no grace while Postgres is away: then no token is accepted.
 */
const AGE_MS_MAX = 800;
const ENTRIES_MAX = 10_000;

interface Entry {
  readonly readAtMs: number;
  readonly token: Promise<StoredToken | undefined>;
}

/** Reads tokens at most once in AGE_MS_MAX, and once for any number of calls that come together. Failures are not kept. */
export class TokenCache {
  readonly #find: (tokenId: string) => Promise<StoredToken | undefined>;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(find: (tokenId: string) => Promise<StoredToken | undefined>, clock: Clock) {
    this.#find = find;
    this.#clock = clock;
  }

  find(tokenId: string): Promise<StoredToken | undefined> {
    const nowMs = this.#clock.nowMs();
    const known = this.#entries.get(tokenId);
    if (known !== undefined && Math.abs(nowMs - known.readAtMs) < AGE_MS_MAX) return known.token;
    const entry: Entry = { readAtMs: nowMs, token: this.#find(tokenId) };
    this.#entries.delete(tokenId);
    this.#entries.set(tokenId, entry);
    if (this.#entries.size > ENTRIES_MAX) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    entry.token.catch(() => {
      if (this.#entries.get(tokenId) === entry) this.#entries.delete(tokenId);
    });
    return entry.token;
  }

  /** Makes a change visible at once on this replica. */
  forget(tokenId: string): void {
    this.#entries.delete(tokenId);
  }
}
