import type { Statement } from './types.ts';

/**
 * Entries of an account's history after one number and up to another, for statements to narrow and to order: as `b` the batch,
 * as `e` the entry.
 */
export function entriesBetween(account: string, after: string, through: string): string {
  const number = 'coalesce(e.number, b.first_number + e.place - 1)';
  return `SELECT b.account_id, ${number} AS number, e.command_id, e.executor_id, e.steps
    FROM command.history_batch b CROSS JOIN LATERAL
      unnest(b.numbers, b.command_ids, b.executor_ids, b.steps) WITH ORDINALITY AS e(number, command_id, executor_id, steps, place)
    WHERE b.account_id = ${account} AND b.number > ${after} AND b.first_number <= ${through}
      AND ${number} > ${after} AND ${number} <= ${through}`;
}

/** The same of what an earlier release wrote, entry by entry. */
export function earlierEntriesBetween(account: string, after: string, through: string): string {
  return `SELECT e.account_id, e.number, e.command_id, e.executor_id, e.steps::text FROM command.history_entry e
    WHERE e.account_id = ${account} AND e.number > ${after} AND e.number <= ${through}`;
}

const THROUGH = 'least(a.event_number, $2::bigint + $5::bigint)';
const OF_EXECUTOR = '($4::uuid IS NULL OR e.executor_id = $4::uuid)';

/**
 * $1 account, $2 number after which, $3 how many rows, $4 executor or NULL, $5 how many numbers to look through at most.
 * The newest number and the rows come from one snapshot: what is committed up to that number is in it, so a reader may go
 * on after it even when no row matched. One row without `number` when there is nothing.
 */
export const readHistoryAfter: Statement = {
  name: 'read_history_after',
  text: `SELECT a.event_number, a.removed_number, h.number, h.command_id, h.executor_id, h.steps
FROM command.account a LEFT JOIN LATERAL (
  (${entriesBetween('a.id', '$2::bigint', THROUGH)} AND ${OF_EXECUTOR} ORDER BY b.number, e.place LIMIT $3::integer)
  UNION ALL
  (${earlierEntriesBetween('a.id', '$2::bigint', THROUGH)} AND ${OF_EXECUTOR} ORDER BY e.number LIMIT $3::integer)
  ORDER BY number LIMIT $3::integer) h ON true
WHERE a.id = $1 ORDER BY h.number`,
};

/**
 * $1 account, $2 command. Its steps from the history, by the numbers that it keeps, as far as that is kept; and those that an
 * earlier release wrote beside the command.
 */
export const readTimeline: Statement = {
  name: 'read_timeline',
  text: `SELECT array_to_json(c.timeline) AS timeline, ARRAY(
  SELECT e.steps FROM unnest(c.sequence || c.change_numbers) WITH ORDINALITY AS n(number, place)
  CROSS JOIN LATERAL (
    SELECT * FROM command.history_batch WHERE account_id = c.account_id AND number >= n.number ORDER BY number LIMIT 1) b
  CROSS JOIN LATERAL unnest(b.command_ids, b.steps) AS e(command_id, steps)
  WHERE b.first_number <= n.number AND e.command_id = c.id ORDER BY n.place) AS steps
FROM command.command c WHERE c.account_id = $1 AND c.id = $2::uuid`,
};
