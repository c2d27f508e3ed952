import type { Pool } from 'pg';
import type { Outbox } from '../domain/strategy-book.ts';
import { readChangedAccounts, readUnpublished, removePublished } from './outbox-statements.ts';
import { type RevisionRow, readRevisionRow } from './revision-row.ts';
import { run } from './statement.ts';

/** The stored outbox. */
export function outboxOf(pool: Pool): Outbox {
  return {
    async unpublished(olderThanMs, revisionsMax) {
      return (await run<RevisionRow>(pool, readUnpublished, [olderThanMs, revisionsMax])).map(readRevisionRow);
    },
    async remove(keys) {
      await run(pool, removePublished, [keys.map(({ accountId }) => accountId), keys.map(({ number }) => number)]);
    },
    changedAccounts(withinMs, afterId, accountsMax) {
      const values = [withinMs ?? null, afterId, accountsMax];
      return run<{ id: string; revision: number; digest: string }>(pool, readChangedAccounts, values);
    },
  };
}
