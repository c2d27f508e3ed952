import type { Statement } from './statement.ts';

const UNSETTLED = `'WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING', 'OUTCOME_UNKNOWN'`;
const OPEN_SESSION = `'STARTING', 'ACTIVE', 'PAUSED', 'STOPPING'`;
const OPEN_POSITION = `'ENTERING', 'OPEN', 'CLOSING', 'UNKNOWN'`;

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

/** $1 days to keep, $2 how many rows. Forgets by which request a strategy was activated. Gives how many were removed. */
export const removeActivationRequests: Statement = {
  name: 'session_remove_activation_requests',
  text: `WITH removed AS (
  DELETE FROM session.activation_request WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM session.activation_request
    WHERE create_time < now() - $1::integer * interval '1 day' ORDER BY create_time LIMIT $2::integer)) RETURNING 1
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
 * stays until the session has ended as long ago. Those of the kill switch go with it. Gives how many were removed.
 */
export const removeCommands: Statement = {
  name: 'session_remove_commands',
  text: `WITH removed AS (
  DELETE FROM session.command WHERE ctid = ANY(ARRAY(
    SELECT c.ctid FROM session.command c JOIN session.session s ON s.id = c.session_id
    WHERE c.state IN ('SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN', 'REFUSED', 'DROPPED')
      AND c.halt_id IS NULL AND c.create_time < now() - $1::integer * interval '1 day'
      AND (s.stop_time < now() - $1::integer * interval '1 day'
        OR c.state <> 'OUTCOME_UNKNOWN' AND c.purpose IN ('OPEN', 'CLOSE', 'CANCEL', 'STATUS', 'PAUSE', 'RESUME'))
    ORDER BY c.create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};

/**
 * $1 days to keep, $2 how many rows. Changes of one session that has ended and rests, from the beginning, with a note of how
 * far: a watcher behind it is told, never shown a gap. With the last of them go the activations from which neither a signal nor
 * a position came, and its row of work, so that it is not looked at again. Gives of how many sessions something was removed.
 */
export const removeChanges: Statement = {
  name: 'session_remove_changes',
  text: `WITH old AS MATERIALIZED (
  SELECT s.id, s.version, least(s.version, s.removed_number + $2::bigint) AS through
  FROM session.work w JOIN session.session s ON s.id = w.session_id
  WHERE w.due_time = 'infinity' AND w.owner IS NULL AND s.stop_time < now() - $1::integer * interval '1 day'
    AND NOT EXISTS (SELECT FROM session.command c WHERE c.session_id = s.id AND c.halt_id IS NULL AND c.state IN (${UNSETTLED}))
  LIMIT 1 FOR UPDATE OF w, s SKIP LOCKED
), removed AS (
  DELETE FROM session.change c USING old WHERE c.session_id = old.id AND c.number <= old.through
), noted AS (
  UPDATE session.session s SET removed_number = old.through FROM old WHERE s.id = old.id
), traded AS MATERIALIZED (
  SELECT x.instance_id FROM session.signal x JOIN old ON x.session_id = old.id AND old.through = old.version
  UNION SELECT p.instance_id FROM session.position p JOIN old ON p.session_id = old.id AND old.through = old.version
), idle AS (
  DELETE FROM session.activation a USING old
  WHERE a.session_id = old.id AND old.through = old.version
    AND NOT EXISTS (SELECT FROM traded t WHERE t.instance_id = a.instance_id::text)
), done AS (
  DELETE FROM session.work w USING old WHERE w.session_id = old.id AND old.through = old.version
)
SELECT count(*)::integer AS removed FROM old`,
};

/**
 * $1 days to keep, $2 how many rows. Commands of kill switches in whose place another one was issued. One whose outcome nobody
 * knows stays. Gives how many were removed.
 */
export const removeHaltAttempts: Statement = {
  name: 'session_remove_halt_attempts',
  text: `WITH removed AS (
  DELETE FROM session.command WHERE ctid = ANY(ARRAY(
    SELECT c.ctid FROM session.command c
    WHERE c.state IN ('SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'REFUSED', 'DROPPED')
      AND c.halt_id IS NOT NULL AND c.create_time < now() - $1::integer * interval '1 day'
      AND NOT EXISTS (SELECT FROM session.halt_target t
        WHERE t.halt_id = c.halt_id AND t.executor_id = c.executor_id AND t.request_id = c.request_id)
    ORDER BY c.create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};

/**
 * $1 days to keep, $2 how many. Kill switches that nobody waits for any more, with what belongs to them. There stay: the newest
 * of each account and the newest that was sent to an executor, by which somebody can tell that it was used; and those to which
 * a session that has not ended, a position that is not over, or a command of unknown outcome refers. Gives how many were removed.
 */
export const removeHalts: Statement = {
  name: 'session_remove_halts',
  text: `WITH old AS MATERIALIZED (
  SELECT h.id FROM session.halt h
  WHERE h.complete_time < now() - $1::integer * interval '1 day'
    AND EXISTS (SELECT FROM session.halt n WHERE n.account_id = h.account_id AND n.id > h.id)
    AND NOT EXISTS (SELECT FROM session.halt_target t WHERE t.halt_id = h.id AND NOT EXISTS (
      SELECT FROM session.halt_target n WHERE n.executor_id = t.executor_id AND n.halt_id > t.halt_id))
    AND NOT EXISTS (SELECT FROM session.command c WHERE c.halt_id = h.id AND c.state IN (${UNSETTLED}))
    AND NOT EXISTS (SELECT FROM session.session s WHERE s.halt_id = h.id AND (s.state IN (${OPEN_SESSION}) OR EXISTS (
      SELECT FROM session.position p WHERE p.session_id = s.id AND p.state IN (${OPEN_POSITION}))))
  ORDER BY h.complete_time LIMIT $2::integer FOR UPDATE OF h SKIP LOCKED
), commands AS (
  DELETE FROM session.command c USING old WHERE c.halt_id = old.id
), targets AS (
  DELETE FROM session.halt_target t USING old WHERE t.halt_id = old.id
), removed AS (
  DELETE FROM session.halt h USING old WHERE h.id = old.id RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};
