import type { Statement } from './statement.ts';

/** $1 days to keep, $2 how many rows. Gives how many were removed. */
export const removeIntents: Statement = {
  name: 'session_remove_intents',
  text: `WITH removed AS (
  DELETE FROM session.intent WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM session.intent
    WHERE done AND create_time < now() - $1::integer * interval '1 day' ORDER BY create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};

/** $1 days to keep, $2 how many rows. Gives how many were removed. */
export const removeOutcomes: Statement = {
  name: 'session_remove_outcomes',
  text: `WITH removed AS (
  DELETE FROM session.outcome WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM session.outcome
    WHERE told AND create_time < now() - $1::integer * interval '1 day' ORDER BY create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};

/**
 * $1 days to keep, $2 how many rows. Commands that have ended; what a session was started with, and what may yet be settled,
 * stays until the session has ended as long ago. Those of the kill switch stay. Gives how many were removed.
 */
export const removeCommands: Statement = {
  name: 'session_remove_commands',
  text: `WITH removed AS (
  DELETE FROM session.command WHERE ctid = ANY(ARRAY(
    SELECT c.ctid FROM session.command c JOIN session.session s ON s.id = c.session_id
    WHERE c.state IN ('SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN', 'REFUSED', 'DROPPED')
      AND c.create_time < now() - $1::integer * interval '1 day'
      AND (s.stop_time < now() - $1::integer * interval '1 day'
        OR c.state <> 'OUTCOME_UNKNOWN' AND c.purpose IN ('OPEN', 'CLOSE', 'CANCEL', 'STATUS', 'PAUSE', 'RESUME'))
    ORDER BY c.create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};

/**
 * $1 days to keep, $2 how many rows. Changes of one session that has ended and rests, from the beginning, with a note of how
 * far: a watcher behind it is told, never shown a gap. With the last of them goes its row of work, so that it is not looked
 * at again. Gives of how many sessions something was removed.
 */
export const removeChanges: Statement = {
  name: 'session_remove_changes',
  text: `WITH old AS MATERIALIZED (
  SELECT s.id, s.version, least(s.version, s.removed_number + $2::bigint) AS through
  FROM session.work w JOIN session.session s ON s.id = w.session_id
  WHERE w.due_time = 'infinity' AND w.owner IS NULL AND s.stop_time < now() - $1::integer * interval '1 day'
  LIMIT 1 FOR UPDATE OF w, s SKIP LOCKED
), removed AS (
  DELETE FROM session.change c USING old WHERE c.session_id = old.id AND c.number <= old.through
), noted AS (
  UPDATE session.session s SET removed_number = old.through FROM old WHERE s.id = old.id
), done AS (
  DELETE FROM session.work w USING old WHERE w.session_id = old.id AND old.through = old.version
)
SELECT count(*)::integer AS removed FROM old`,
};
