import type { Pool } from 'pg';
import type { Logger } from '../../platform/logger.ts';
import { Retention, ROWS_PER_STATEMENT_MAX } from '../../platform/retention.ts';
import { removeDefinitions } from '../store/cache-statements.ts';
import { listEvaluatorAccounts, removeEvaluations, removeOutcomes } from '../store/evaluation-statements.ts';
import { removeInstances } from '../store/instance-statements.ts';
import { run, type Statement } from '../store/statement.ts';

/** Evaluations, outcomes that were taken in, revisions that nobody runs, and instances that ended, are kept for so many days. */
export function evaluatorRetention(pool: Pool, logger: Logger, keepDays: number): Retention {
  const remove = async (statement: Statement, ...first: readonly unknown[]): Promise<boolean> => {
    const values = [...first, keepDays, ROWS_PER_STATEMENT_MAX];
    const [row] = await run<{ readonly removed: number }>(pool, statement, values);
    return (row?.removed ?? 0) >= ROWS_PER_STATEMENT_MAX;
  };
  return new Retention(logger, async function* () {
    yield () => remove(removeOutcomes);
    yield () => remove(removeDefinitions);
    const accounts = await run<{ readonly id: string }>(pool, listEvaluatorAccounts, []);
    for (const { id } of accounts) yield () => remove(removeEvaluations, id);
    // One that ended goes when none of its evaluations is left.
    yield () => remove(removeInstances);
  });
}
