import type { Pool } from 'pg';
import type { Logger } from '../../platform/logger.ts';
import { type Removal, Retention, ROWS_PER_STATEMENT_MAX } from '../../platform/retention.ts';
import {
  removeActivationRequests,
  removeChanges,
  removeCommands,
  removeHaltAttempts,
  removeHalts,
  removeIntents,
  removeOutcomes,
} from './retention-statements.ts';
import { run, type Statement } from './statement.ts';

/** Each has a row for every executor of its account. */
const HALTS_PER_STATEMENT_MAX = 10;

/** Sessions, signals and positions are kept; how they came about is kept for so many days, and so are kill switches. */
export function sessionRetention(pool: Pool, logger: Logger, keepDays: number): Retention {
  const removal =
    (statement: Statement, rowsMax: number = ROWS_PER_STATEMENT_MAX, moreFrom: number = rowsMax): Removal =>
    async () => {
      const [row] = await run<{ readonly removed: number }>(pool, statement, [keepDays, rowsMax]);
      return (row?.removed ?? 0) >= moreFrom;
    };
  return new Retention(logger, () => [
    removal(removeIntents),
    removal(removeOutcomes),
    removal(removeActivationRequests),
    removal(removeCommands),
    removal(removeChanges, ROWS_PER_STATEMENT_MAX, 1),
    removal(removeHaltAttempts),
    removal(removeHalts, HALTS_PER_STATEMENT_MAX),
  ]);
}
