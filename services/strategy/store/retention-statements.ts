import type { Statement } from './statement.ts';

/** $1 days to keep, $2 how many rows. Forgets by which request a strategy was made. Gives how many were forgotten. */
export const forgetRequests: Statement = {
  name: 'forget_strategy_requests',
  text: `WITH expired AS MATERIALIZED (
  SELECT id FROM strategy.strategy
  WHERE request_id IS NOT NULL AND create_time < now() - $1::integer * interval '1 day'
  ORDER BY create_time LIMIT $2::integer
), forgotten AS (
  UPDATE strategy.strategy s SET request_id = NULL, request_digest = NULL FROM expired e WHERE s.id = e.id RETURNING 1
)
SELECT count(*)::integer AS removed FROM forgotten`,
};

/** $1 days to keep, $2 how many rows. Forgets by which request a revision was made. Gives how many were forgotten. */
export const forgetUpdateRequests: Statement = {
  name: 'forget_update_requests',
  text: `WITH removed AS (
  DELETE FROM strategy.request WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM strategy.request
    WHERE time < now() - $1::integer * interval '1 day' ORDER BY time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};

/**
 * $1 days to keep, $2 how many rows. Gives up publishing what has not reached NATS in that time: readers find the revisions by
 * their numbers. Gives how many were removed.
 */
export const removeUnpublished: Statement = {
  name: 'remove_unpublished',
  text: `WITH expired AS MATERIALIZED (
  SELECT account_id, number FROM strategy.outbox
  WHERE time < now() - $1::integer * interval '1 day' ORDER BY account_id, number LIMIT $2::integer
), removed AS (
  DELETE FROM strategy.outbox o USING expired e WHERE o.account_id = e.account_id AND o.number = e.number RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};
