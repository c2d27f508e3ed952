import type { Statement } from './types.ts';

/**
 * $1 account, $2 number after which, $3 how many rows, $4 executor or NULL, $5 how many numbers to look through at most.
 * The newest number and the rows come from one snapshot: what is committed up to that number is in it, so a reader may go
 * on after it even when no row matched. One row without `number` when there is nothing.
 */
export const readHistoryAfter: Statement = {
  name: 'read_history_after',
  text: `SELECT a.event_number, a.removed_number, h.number, h.command_id, h.executor_id, h.steps
FROM command.account a LEFT JOIN LATERAL (
  SELECT * FROM command.history h
  WHERE h.account_id = a.id AND h.number > $2::bigint AND h.number <= least(a.event_number, $2::bigint + $5::bigint)
    AND ($4::uuid IS NULL OR h.executor_id = $4::uuid)
  ORDER BY h.number LIMIT $3::integer) h ON true
WHERE a.id = $1 ORDER BY h.number`,
};

/** $1 account, $2 command. */
export const readTimeline: Statement = {
  name: 'read_timeline',
  text: 'SELECT array_to_json(timeline) AS timeline FROM command.command WHERE account_id = $1 AND id = $2::uuid',
};
