import type { Pool } from 'pg';
import type { Logger } from '../../platform/logger.ts';
import { Retention, ROWS_PER_STATEMENT_MAX } from '../../platform/retention.ts';
import { forgetRequests, forgetUpdateRequests, removeUnpublished } from './retention-statements.ts';
import { run } from './statement.ts';

/** Strategies and all of their revisions are kept; what serves repeats and publishing is kept for so many days. */
export function strategyRetention(pool: Pool, logger: Logger, keepDays: number): Retention {
  const removals = [forgetRequests, forgetUpdateRequests, removeUnpublished].map((statement) => async () => {
    const [row] = await run<{ readonly removed: number }>(pool, statement, [keepDays, ROWS_PER_STATEMENT_MAX]);
    return (row?.removed ?? 0) >= ROWS_PER_STATEMENT_MAX;
  });
  return new Retention(logger, () => removals);
}
