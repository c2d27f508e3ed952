import type { Statement } from './statement.ts';
import { selection } from './table.ts';
import { ACTIVATION, COMMAND, POSITION, SESSION, SIGNAL } from './tables.ts';

/** $1 account, $2 session. */
export const getSession: Statement = {
  name: 'session_get',
  text: `SELECT ${selection(SESSION, 's')} FROM session.session s WHERE s.id = $2::uuid AND s.account_id = $1`,
};

/** $1 session. */
export const readSession: Statement = {
  name: 'session_read',
  text: `SELECT ${selection(SESSION, 's')} FROM session.session s WHERE s.id = $1::uuid`,
};

/** $1 account, $2 executor, $3 sessions. Those of them that are its own, in order. */
export const readSessionsOnExecutor: Statement = {
  name: 'session_on_executor',
  text: `SELECT s.id FROM session.session s
WHERE s.id = ANY($3::uuid[]) AND s.account_id = $1 AND s.executor_id = $2::uuid ORDER BY s.id`,
};

/** $1 account, $2 request id. */
export const findSessionRequest: Statement = {
  name: 'session_find_request',
  text: `SELECT ${selection(SESSION, 's')} FROM session.session s WHERE s.account_id = $1 AND s.request_id = $2`,
};

/** $1 account, $2 request id: what an activation with it has given. */
export const findActivationRequest: Statement = {
  name: 'session_find_activation_request',
  text: `SELECT r.request_id AS "requestId", r.fingerprint, r.session_id AS "sessionId", r.instance_ids AS "instanceIds"
FROM session.activation_request r WHERE r.account_id = $1 AND r.request_id = $2`,
};

/** $1 account, $2 request id, $3 fingerprint, $4 session, $5 instances. Gives a row unless the request id is taken. */
export const addActivationRequest: Statement = {
  name: 'session_add_activation_request',
  text: `INSERT INTO session.activation_request (account_id, request_id, fingerprint, session_id, instance_ids)
VALUES ($1, $2, $3, $4::uuid, $5::uuid[]) ON CONFLICT (account_id, request_id) DO NOTHING RETURNING request_id`,
};

/** $1 account, $2 states or NULL, $3 executor or NULL, $4 id below which or NULL, $5 how many. Newest first. */
export const listSessions: Statement = {
  name: 'session_list',
  text: `SELECT ${selection(SESSION, 's')} FROM session.session s
WHERE s.account_id = $1 AND ($2::text[] IS NULL OR s.state = ANY($2::text[]))
  AND ($3::uuid IS NULL OR s.executor_id = $3::uuid) AND ($4::uuid IS NULL OR s.id < $4::uuid)
ORDER BY s.id DESC LIMIT $5::integer`,
};

/** $1 sessions. */
export const readActivationsOf: Statement = {
  name: 'session_activations_of',
  text: `SELECT ${selection(ACTIVATION, 'a')} FROM session.activation a
WHERE a.session_id = ANY($1::uuid[]) ORDER BY a.session_id, a.instance_id`,
};

const BELOW = `($3::bigint IS NULL OR (x.create_time, x.id) < (to_timestamp($3::bigint / 1000.0), $4::text))`;

/** $1 account, $2 session or NULL, $3 time in ms and $4 id below which or NULL, $5 how many. Newest first. */
export const listSignals: Statement = {
  name: 'session_list_signals',
  text: `SELECT ${selection(SIGNAL, 'x')} FROM session.signal x JOIN session.session s ON s.id = x.session_id
WHERE s.account_id = $1 AND ($2::uuid IS NULL OR x.session_id = $2::uuid) AND ${BELOW}
ORDER BY x.create_time DESC, x.id DESC LIMIT $5::integer`,
};

/** $1 to $5 as for signals, $6 true for open ones, false for closed ones. */
export const listPositions: Statement = {
  name: 'session_list_positions',
  text: `SELECT ${selection(POSITION, 'x')} FROM session.position x JOIN session.session s ON s.id = x.session_id
WHERE s.account_id = $1 AND ($2::uuid IS NULL OR x.session_id = $2::uuid) AND ${BELOW}
  AND CASE WHEN $6::boolean THEN x.state IN ('OPEN', 'CLOSING', 'UNKNOWN') ELSE x.state = 'CLOSED' END
ORDER BY x.create_time DESC, x.id DESC LIMIT $5::integer`,
};

/** $1 session, $2 number after which, $3 how many. One row at least, with the session's newest number and the last that was removed. */
export const readChanges: Statement = {
  name: 'session_changes',
  text: `SELECT s.version, s.removed_number AS "removedNumber", c.number, c.kind, c.subject_id AS "subjectId"
FROM session.session s LEFT JOIN LATERAL (
  SELECT * FROM session.change c WHERE c.session_id = s.id AND c.number > $2::bigint AND c.number <= s.version
  ORDER BY c.number LIMIT $3::integer) c ON true
WHERE s.id = $1::uuid ORDER BY c.number`,
};

/** $1 session, $2 ids. */
export const readSignals: Statement = {
  name: 'session_signals_by_id',
  text: `SELECT ${selection(SIGNAL, 's')} FROM session.signal s WHERE s.session_id = $1::uuid AND s.id = ANY($2::text[])`,
};

/** $1 session, $2 ids. */
export const readPositions: Statement = {
  name: 'session_positions_by_id',
  text: `SELECT ${selection(POSITION, 'p')} FROM session.position p WHERE p.session_id = $1::uuid AND p.id = ANY($2::text[])`,
};

/** $1 account, $2 strategy. Activations of sessions that have not ended. */
export const readStrategyUses: Statement = {
  name: 'session_strategy_uses',
  text: `SELECT ${selection(ACTIVATION, 'a')} FROM session.activation a JOIN session.session s ON s.id = a.session_id
WHERE s.account_id = $1 AND a.strategy_id = $2 AND a.state IN ('PENDING', 'ACTIVE', 'DEACTIVATING')
  AND s.state IN ('STARTING', 'ACTIVE', 'PAUSED', 'STOPPING')
ORDER BY a.session_id, a.symbol`,
};

/** $1 session. What its executor still has to be told, or to answer, in order. */
export const readCommandsToDo: Statement = {
  name: 'session_commands_to_do',
  text: `SELECT c.number, ${selection(COMMAND, 'c')} FROM session.command c
WHERE c.session_id = $1::uuid AND c.state IN ('WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING', 'OUTCOME_UNKNOWN')
ORDER BY c.number`,
};

/** $1 account, $2 request ids. Which sessions and halts they belong to. */
export const findCommands: Statement = {
  name: 'session_find_commands',
  text: `SELECT c.number, ${selection(COMMAND, 'c')} FROM session.command c
WHERE c.account_id = $1 AND c.request_id = ANY($2::text[])`,
};
