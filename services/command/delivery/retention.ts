import type { Pool } from 'pg';
import { v7 } from 'uuid';
import type { Logger } from '../../platform/logger.ts';
import { type Removal, Retention, ROWS_PER_STATEMENT_MAX } from '../../platform/retention.ts';
import { run } from '../store/command-store.ts';
import {
  listAccounts,
  oldestKept,
  removeCommands,
  removeHistory,
  removeHistoryEntries,
} from '../store/retention-statements.ts';
import { removeVenueEvents } from '../store/venue-statements.ts';

/** Ended commands, their history, and what venues reported, are kept for so many days. */
export function commandRetention(pool: Pool, logger: Logger, keepDays: number): Retention {
  const removal =
    (statement: typeof removeHistory, values: readonly unknown[]): Removal =>
    async () => {
      const [row] = await run<{ readonly removed: number }>(pool, statement, [...values, ROWS_PER_STATEMENT_MAX]);
      return (row?.removed ?? 0) > 0;
    };
  return new Retention(logger, async function* () {
    const [keepFrom] = await run<{ readonly ms: number }>(pool, oldestKept, [keepDays]);
    if (keepFrom === undefined) throw new Error('the database has not said what time it is');
    const { ms } = keepFrom;
    // Below every id that was made at that time or later.
    const keepFromId = v7({ msecs: ms, seq: 0, random: new Uint8Array(16) });
    const accounts = await run<{ readonly id: string }>(pool, listAccounts, []);
    for (const { id } of accounts) {
      yield removal(removeHistoryEntries, [id, ms]);
      yield removal(removeHistory, [id, ms]);
      yield removal(removeCommands, [id, keepFromId]);
      yield removal(removeVenueEvents, [id, new Date(ms)]);
    }
  });
}
