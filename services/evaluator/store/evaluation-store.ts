import type { Pool } from 'pg';
import type { EvaluationReader } from '../domain/instance-book.ts';
import type { StoredEvaluation } from '../domain/stored-instance.ts';
import { readEvaluationsAfter, readRecentEvaluations } from './evaluation-statements.ts';
import { run } from './statement.ts';

/** What a row's body holds: the evaluation but for what has a column of its own. */
export type EvaluationBody = Omit<StoredEvaluation, 'number' | 'instanceId' | 'sessionId' | 'recordMs'>;

interface EvaluationRow {
  readonly number: number;
  readonly instance_id: string;
  readonly session_id: string;
  readonly record_time: number;
  readonly body: EvaluationBody;
}

interface PageRow extends Partial<Omit<EvaluationRow, 'number'>> {
  readonly number: number | null;
  readonly evaluation_number: number;
  readonly removed_number: number;
}

/** One look passes over at most so many numbers, whether they match or not. */
const NUMBERS_PER_LOOK_MAX = 10_000;

/** Evaluations in Postgres. An account that never had one has the numbers 0. */
export function evaluationReader(pool: Pool): EvaluationReader {
  const look = (accountId: string, number: number, sessionId: string, instanceId: string, itemsMax: number) =>
    run<PageRow>(pool, readEvaluationsAfter, [
      accountId,
      number,
      itemsMax,
      sessionId,
      instanceId,
      NUMBERS_PER_LOOK_MAX,
    ]);
  return {
    range: async (accountId) => {
      const [row] = await look(accountId, Number.MAX_SAFE_INTEGER - NUMBERS_PER_LOOK_MAX, '', '', 1);
      return { newest: row?.evaluation_number ?? 0, removed: row?.removed_number ?? 0 };
    },
    after: async (accountId, number, { sessionId, instanceId }, itemsMax) => {
      const rows = await look(accountId, number, sessionId, instanceId, itemsMax);
      const [first] = rows;
      const newest = first?.evaluation_number ?? 0;
      const evaluations = rows.flatMap((row) => (isEvaluation(row) ? [readEvaluation(row)] : []));
      const full = evaluations.length === itemsMax;
      const looked = Math.min(newest, number + NUMBERS_PER_LOOK_MAX);
      const throughNumber = full ? (evaluations.at(-1)?.number ?? number) : Math.max(number, looked);
      return {
        evaluations,
        throughNumber,
        removedNumber: first?.removed_number ?? 0,
        more: throughNumber < newest,
      };
    },
    recent: async (accountId, instanceId, itemsMax) =>
      (await run<EvaluationRow & object>(pool, readRecentEvaluations, [accountId, instanceId, itemsMax])).map(
        readEvaluation,
      ),
  };
}

function isEvaluation(row: PageRow): row is PageRow & EvaluationRow {
  return row.number !== null;
}

function readEvaluation(row: EvaluationRow): StoredEvaluation {
  return {
    ...row.body,
    number: row.number,
    instanceId: row.instance_id,
    sessionId: row.session_id,
    recordMs: row.record_time,
  };
}
