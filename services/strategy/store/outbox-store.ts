import type { Pool } from 'pg';
import type { AccountState, Revision } from '../domain/strategy-book.ts';
import { readChangedAccounts, readUnpublished, removePublished } from './outbox-statements.ts';
import { type RevisionRow, readRevisionRow } from './revision-row.ts';
import { run } from './statement.ts';

/** Names a revision in the outbox. */
export interface OutboxKey {
  readonly accountId: string;
  readonly number: number;
}

/** An account and where it stands. */
export interface ChangedAccount extends AccountState {
  readonly id: string;
}

/** What has still to be published. */
export class Outbox {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** In the order of each account; none that is younger than `olderThanMs`. */
  async unpublished(olderThanMs: number, revisionsMax: number): Promise<readonly Revision[]> {
    return (await run<RevisionRow>(this.#pool, readUnpublished, [olderThanMs, revisionsMax])).map(readRevisionRow);
  }

  async remove(keys: readonly OutboxKey[]): Promise<void> {
    await run(this.#pool, removePublished, [keys.map(({ accountId }) => accountId), keys.map(({ number }) => number)]);
  }

  /** Accounts in the order of their ids; of the last `withinMs`, or all. */
  changedAccounts(
    withinMs: number | undefined,
    afterId: string,
    accountsMax: number,
  ): Promise<readonly ChangedAccount[]> {
    return run<{ id: string; revision: number; digest: string }>(this.#pool, readChangedAccounts, [
      withinMs ?? null,
      afterId,
      accountsMax,
    ]);
  }
}
