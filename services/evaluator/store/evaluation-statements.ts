import type { Statement } from './statement.ts';

/**
 * $1 account, $2 number after which, $3 how many rows, $4 session or empty, $5 instance or empty, $6 how many numbers to look
 * through at most. The newest number and the rows are of one snapshot: a reader may go on after it even when no row matched.
 * One row without `number` when there is nothing.
 */
export const readEvaluationsAfter: Statement = {
  name: 'read_evaluations_after',
  text: `SELECT a.evaluation_number, a.removed_number, e.number, e.instance_id, e.session_id, e.record_time, e.body
FROM evaluator.account a LEFT JOIN LATERAL (
  SELECT * FROM evaluator.evaluation e
  WHERE e.account_id = a.id AND e.number > $2::bigint AND e.number <= least(a.evaluation_number, $2::bigint + $6::bigint)
    AND ($4 = '' OR e.session_id = $4) AND ($5 = '' OR e.instance_id = $5)
  ORDER BY e.number LIMIT $3::integer) e ON true
WHERE a.id = $1 ORDER BY e.number`,
};

/** $1 account, $2 instance, $3 how many. Newest first. */
export const readRecentEvaluations: Statement = {
  name: 'read_recent_evaluations',
  text: `SELECT number, instance_id, session_id, record_time, body FROM evaluator.evaluation
WHERE account_id = $1 AND instance_id = $2 ORDER BY number DESC LIMIT $3::integer`,
};

/** All accounts. */
export const listEvaluatorAccounts: Statement = {
  name: 'list_evaluator_accounts',
  text: 'SELECT id FROM evaluator.account ORDER BY id',
};

/**
 * $1 account, $2 days to keep, $3 how many rows. Removes evaluations from the beginning and notes up to which number, in one
 * transaction: a watcher behind it is told that it missed something, never shown a gap. Gives how many were removed.
 */
export const removeEvaluations: Statement = {
  name: 'remove_evaluations',
  text: `WITH oldest AS MATERIALIZED (
  SELECT number, record_time FROM evaluator.evaluation WHERE account_id = $1 ORDER BY number LIMIT $3::integer
), expired AS MATERIALIZED (
  SELECT number FROM oldest WHERE number < coalesce(
    (SELECT min(number) FROM oldest WHERE record_time >= now() - $2::integer * interval '1 day'), 9223372036854775807)
), removed AS (
  DELETE FROM evaluator.evaluation e USING expired WHERE e.account_id = $1 AND e.number = expired.number RETURNING 1
), noted AS (
  UPDATE evaluator.account SET removed_number = (SELECT max(number) FROM expired)
  WHERE id = $1 AND EXISTS (SELECT FROM expired)
)
SELECT count(*)::integer AS removed FROM removed`,
};

/** $1 days to keep, $2 how many rows. Outcomes that nobody repeats or waits for any more. */
export const removeOutcomes: Statement = {
  name: 'remove_outcomes',
  text: `WITH removed AS (
  DELETE FROM evaluator.outcome WHERE ctid = ANY(ARRAY(
    SELECT o.ctid FROM evaluator.outcome o
    WHERE o.create_time < now() - $1::integer * interval '1 day' AND (o.applied OR NOT EXISTS (
      SELECT FROM evaluator.instance i WHERE i.id = o.instance_id AND i.status IN ('PENDING', 'ACTIVE', 'CLOSING')))
    ORDER BY o.create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};
