import type { Statement } from './types.ts';

/** $1 account. Makes the account's counter if there is none and locks it: whoever comes next sees what this one stored. */
export const lockVenueCounter: Statement = {
  name: 'lock_venue_counter',
  text: `INSERT INTO command.venue_counter AS c (account_id) VALUES ($1)
ON CONFLICT (account_id) DO UPDATE SET event_number = c.event_number RETURNING event_number`,
};

/**
 * $1 account, $2 executor, $3 journals, $4 numbers in them, $5 events. Stores those that are new, numbered in the order of their
 * journals. To be run under the counter's lock, in a statement of its own: only then does it see what came before it.
 */
export const insertVenueEvents: Statement = {
  name: 'insert_venue_events',
  text: `WITH incoming AS (
  SELECT DISTINCT ON (journal_id, journal_number) journal_id, journal_number, event
  FROM unnest($3::text[], $4::bigint[], $5::bytea[]) AS i (journal_id, journal_number, event)
), fresh AS MATERIALIZED (
  SELECT i.*, row_number() OVER (ORDER BY i.journal_id, i.journal_number) AS place FROM incoming i
  WHERE NOT EXISTS (
    SELECT FROM command.venue_event e
    WHERE e.executor_id = $2::uuid AND e.journal_id = i.journal_id AND e.journal_number = i.journal_number)
), counted AS (
  UPDATE command.venue_counter SET event_number = event_number + (SELECT count(*) FROM fresh)
  WHERE account_id = $1 RETURNING event_number - (SELECT count(*) FROM fresh) AS base
)
INSERT INTO command.venue_event (account_id, number, executor_id, journal_id, journal_number, event)
SELECT $1, counted.base + fresh.place, $2::uuid, fresh.journal_id, fresh.journal_number, fresh.event FROM fresh, counted
RETURNING number`,
};

/** $1 account. */
export const readVenueRange: Statement = {
  name: 'read_venue_range',
  text: 'SELECT event_number, removed_number FROM command.venue_counter WHERE account_id = $1',
};

/**
 * $1 account, $2 number after which, $3 how many rows, $4 executor or NULL, $5 how many numbers to look through at most. The
 * account's numbers and the rows come from one snapshot. One row without `number` when nothing matched, none before the first.
 */
export const readVenueEventsAfter: Statement = {
  name: 'read_venue_events_after',
  text: `SELECT c.event_number, c.removed_number, e.number, e.executor_id, e.event, e.store_time
FROM command.venue_counter c LEFT JOIN LATERAL (
  SELECT * FROM command.venue_event v
  WHERE v.account_id = c.account_id AND v.number > $2::bigint AND v.number <= least(c.event_number, $2::bigint + $5::bigint)
    AND ($4::uuid IS NULL OR v.executor_id = $4::uuid)
  ORDER BY v.number LIMIT $3::integer) e ON true
WHERE c.account_id = $1 ORDER BY e.number`,
};

/**
 * $1 account, $2 oldest time to keep, $3 how many rows. Removes events from the beginning and notes up to which number, in one
 * transaction. Gives how many were removed.
 */
export const removeVenueEvents: Statement = {
  name: 'remove_venue_events',
  text: `WITH oldest AS MATERIALIZED (
  SELECT number, store_time FROM command.venue_event WHERE account_id = $1 ORDER BY number LIMIT $3::integer
), expired AS MATERIALIZED (
  SELECT number FROM oldest
  WHERE number < coalesce((SELECT min(number) FROM oldest WHERE store_time >= $2::timestamptz), 'infinity'::float8)
), removed AS (
  DELETE FROM command.venue_event e USING expired WHERE e.account_id = $1 AND e.number = expired.number RETURNING e.number
), noted AS (
  UPDATE command.venue_counter SET removed_number = (SELECT max(number) FROM expired)
  WHERE account_id = $1 AND EXISTS (SELECT FROM expired)
)
SELECT count(*)::integer AS removed FROM removed`,
};
