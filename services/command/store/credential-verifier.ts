import type { Pool } from 'pg';
import { Batcher } from '../../platform/batcher.ts';
import { type CredentialCheck, secretMatches } from '../domain/credential.ts';
import { run } from './command-store.ts';
import { readCredentials } from './executor-statements.ts';

const KEYS_PER_STATEMENT_MAX = 500;
const STATEMENTS_MAX = 2;
/** Longer ones are nobody's: ours have 25 and 43 characters. */
const PART_CHARS_MAX = 128;

const UNKNOWN: CredentialCheck = { type: 'unknown' };

interface CredentialRow {
  readonly key_id: string;
  readonly secret_hash: Uint8Array;
  readonly expire_time: number | null;
  readonly ended: boolean;
  readonly executor_id: string;
  readonly account_id: string;
  readonly name: string;
  readonly disabled: boolean;
}

/** Checks credentials of executors. Thousands that reconnect at once share statements. */
export class CredentialVerifier {
  readonly #rows: Batcher<string, CredentialRow | undefined>;

  constructor(pool: Pool) {
    this.#rows = new Batcher({
      itemsMax: KEYS_PER_STATEMENT_MAX,
      concurrency: STATEMENTS_MAX,
      flush: async (keyIds) => {
        const rows = await run<CredentialRow>(pool, readCredentials, [[...new Set(keyIds)]]);
        const byKey = new Map(rows.map((row) => [row.key_id, row]));
        return keyIds.map((keyId) => byKey.get(keyId));
      },
    });
  }

  /**
   * Whom the credential belongs to, or why it does not open anything. A caller with a wrong secret may not learn that its
   * key is one. Rejects when Postgres cannot be reached.
   */
  async verify(keyId: string, secret: string): Promise<CredentialCheck> {
    if (!plausible(keyId) || !plausible(secret)) return UNKNOWN;
    const row = await this.#rows.add(keyId);
    if (row === undefined) return UNKNOWN;
    const owner = { keyId, executorId: row.executor_id, accountId: row.account_id, name: row.name };
    if (!secretMatches(secret, row.secret_hash)) return { type: 'wrong_secret', ...owner };
    if (row.disabled) return { type: 'disabled', ...owner };
    if (row.ended) return { type: 'revoked', ...owner };
    return { type: 'verified', ...owner, expireMs: row.expire_time };
  }

  /** Resolves when no statement runs any more. */
  stop(): Promise<void> {
    return this.#rows.stop();
  }
}

/** A header may hold anything; Postgres takes no NUL. */
function plausible(part: string): boolean {
  return part !== '' && part.length <= PART_CHARS_MAX && /^[\w-]+$/.test(part);
}
