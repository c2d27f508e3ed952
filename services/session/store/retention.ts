import type { Pool } from 'pg';
import type { Logger } from '../../platform/logger.ts';
import { type Removal, Retention, ROWS_PER_STATEMENT_MAX } from '../../platform/retention.ts';
import { removeChanges, removeCommands, removeIntents, removeOutcomes } from './retention-statements.ts';
import { run, type Statement } from './statement.ts';

/** Sessions, signals and positions are kept; how they came about is kept for so many days. */
export function sessionRetention(pool: Pool, logger: Logger, keepDays: number): Retention {
  const removal =
    (statement: Statement, moreFrom: number): Removal =>
    async () => {
      const [row] = await run<{ readonly removed: number }>(pool, statement, [keepDays, ROWS_PER_STATEMENT_MAX]);
      return (row?.removed ?? 0) >= moreFrom;
    };
  return new Retention(logger, [
    removal(removeIntents, ROWS_PER_STATEMENT_MAX),
    removal(removeOutcomes, ROWS_PER_STATEMENT_MAX),
    removal(removeCommands, ROWS_PER_STATEMENT_MAX),
    removal(removeChanges, 1),
  ]);
}
