import { writeCommands } from './session-statements.ts';
import type { Statement } from './statement.ts';
import { selection } from './table.ts';
import { COMMAND, HALT, HALT_TARGET } from './tables.ts';

/** $1 account. Starts and kill switches of an account come one after the other. */
export const lockAccount: Statement = {
  name: 'session_lock_account',
  text: `SELECT pg_advisory_xact_lock(hashtextextended('strategos session ' || $1, 0))`,
};

/** $1 account, $2 executor or NULL, $3 session or NULL. Sessions that have not ended, in order, with the executor of each or NULL. */
export const readHaltScope: Statement = {
  name: 'session_halt_scope',
  text: `SELECT s.id, s.executor_id, s.executor_name FROM session.session s
WHERE s.account_id = $1 AND s.state IN ('STARTING', 'ACTIVE', 'PAUSED', 'STOPPING')
  AND ($2::uuid IS NULL OR s.executor_id = $2::uuid) AND ($3::uuid IS NULL OR s.id = $3::uuid)
ORDER BY s.id`,
};

/** $1 id, $2 account, $3 request id, $4 fingerprint, $5 scope, $6 target, $7 close, $8 author, $9 sessions. */
export const insertHalt: Statement = {
  name: 'session_insert_halt',
  text: `INSERT INTO session.halt (id, account_id, request_id, fingerprint, scope, target, close_positions, author, session_ids,
  create_time, due_time)
VALUES ($1::uuid, $2, $3, $4, $5, $6, $7::boolean, $8, $9::uuid[], now(), now())
ON CONFLICT DO NOTHING RETURNING id`,
};

/** $1 halt, $2 executors, $3 names, $4 request ids. */
export const insertHaltTargets: Statement = {
  name: 'session_insert_halt_targets',
  text: `INSERT INTO session.halt_target (halt_id, executor_id, executor_name, request_id, attempt, flat)
SELECT $1::uuid, t.executor_id, t.executor_name, t.request_id, 0, false
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS t(executor_id, executor_name, request_id)`,
};

/** $1 account, $2 id or NULL for the newest that is not over, or the newest: a later one hides none that waits for somebody. */
export const getHalt: Statement = {
  name: 'session_get_halt',
  text: `SELECT ${selection(HALT, 'h')} FROM session.halt h
WHERE h.account_id = $1 AND ($2::uuid IS NULL OR h.id = $2::uuid)
ORDER BY h.complete_time IS NULL DESC, h.id DESC LIMIT 1`,
};

/** $1 account, $2 request id. */
export const findHaltRequest: Statement = {
  name: 'session_find_halt_request',
  text: `SELECT ${selection(HALT, 'h')} FROM session.halt h WHERE h.account_id = $1 AND h.request_id = $2`,
};

/** $1 halts. */
export const readHaltTargets: Statement = {
  name: 'session_halt_targets',
  text: `SELECT ${selection(HALT_TARGET, 't')} FROM session.halt_target t
WHERE t.halt_id = ANY($1::uuid[]) ORDER BY t.halt_id, t.executor_name`,
};

/** $1 halts. */
export const readHaltCommands: Statement = {
  name: 'session_halt_commands',
  text: `SELECT ${selection(COMMAND, 'c')} FROM session.command c WHERE c.halt_id IS NOT NULL AND c.halt_id = ANY($1::uuid[])`,
};

/** $1 ms until they are due again, $2 how many. */
export const claimHalts: Statement = {
  name: 'session_claim_halts',
  text: `UPDATE session.halt h SET due_time = now() + $1::bigint * interval '1 millisecond'
FROM (SELECT id FROM session.halt WHERE due_time <= now() AND due_time < 'infinity'
  ORDER BY due_time LIMIT $2::integer FOR UPDATE SKIP LOCKED) due
WHERE h.id = due.id RETURNING ${selection(HALT, 'h')}`,
};

/** $1 halts. Has them looked at now. */
export const kickHalts: Statement = {
  name: 'session_kick_halts',
  text: `UPDATE session.halt SET due_time = now() WHERE id = ANY($1::uuid[]) AND complete_time IS NULL`,
};

/** $1 halt, $2 executor, $3 request id of the new command, $4 its attempt. No row when another replica was faster. */
export const retargetHalt: Statement = {
  name: 'session_retarget_halt',
  text: `UPDATE session.halt_target SET request_id = $3, attempt = $4::integer
WHERE halt_id = $1::uuid AND executor_id = $2::uuid AND attempt = $4::integer - 1 AND abandon_time IS NULL RETURNING halt_id`,
};

/** $1 halt, $2 executor, $3 time in ms. */
export const acknowledgeHalt: Statement = {
  name: 'session_acknowledge_halt',
  text: `UPDATE session.halt_target SET flat = true, acknowledge_time = to_timestamp($3::bigint / 1000.0)
WHERE halt_id = $1::uuid AND executor_id = $2::uuid AND NOT flat`,
};

/** $1 halt, $2 executor, $3 why. No row when it has acknowledged, or another replica was faster. */
export const abandonHalt: Statement = {
  name: 'session_abandon_halt',
  text: `UPDATE session.halt_target SET abandon_time = now(), abandon_reason = $3
WHERE halt_id = $1::uuid AND executor_id = $2::uuid AND NOT flat AND abandon_time IS NULL RETURNING halt_id`,
};

/** $1 halt. Over when every executor has acknowledged or was given up. */
export const completeHalt: Statement = {
  name: 'session_complete_halt',
  text: `UPDATE session.halt SET complete_time = now(), due_time = 'infinity'
WHERE id = $1::uuid AND complete_time IS NULL
  AND NOT EXISTS (SELECT FROM session.halt_target t WHERE t.halt_id = $1::uuid AND NOT t.flat AND t.abandon_time IS NULL)`,
};

/** $1 halt, $2 executor, $3 sessions that are looked at in whatever state. */
export const readHaltedSessions: Statement = {
  name: 'session_halted_sessions',
  text: `SELECT s.id FROM session.halt h
CROSS JOIN LATERAL (SELECT unnest(h.session_ids) UNION SELECT unnest($3::uuid[])) AS k(id)
JOIN session.session s ON s.id = k.id AND s.account_id = h.account_id
WHERE h.id = $1::uuid AND s.executor_id = $2::uuid AND (s.state = 'STOPPING' AND s.id = ANY(h.session_ids) OR s.id = ANY($3::uuid[]))
ORDER BY s.id`,
};

/** $1 halt. Executors on which a session of it is not stopped yet. */
export const readClosingExecutors: Statement = {
  name: 'session_halt_closing',
  text: `SELECT DISTINCT s.executor_id AS id FROM session.halt h JOIN session.session s ON s.id = ANY(h.session_ids)
WHERE h.id = $1::uuid AND s.executor_id IS NOT NULL AND s.state = 'STOPPING'`,
};

/** $1 account, $2 executor. A kill switch whose command the executor's queue does not hold yet. */
export const readUnissuedHalt: Statement = {
  name: 'session_unissued_halt',
  text: `SELECT c.halt_id AS id FROM session.command c
WHERE c.halt_id IS NOT NULL AND c.account_id = $1 AND c.executor_id = $2::uuid AND c.state = 'WANTED' LIMIT 1`,
};

/** As `writeCommands`, but what has ended stays so: of two replicas that look at once, one may have looked earlier. */
export const observeHaltCommand: Statement = {
  name: 'session_observe_halt_command',
  text: `${writeCommands.text}
WHERE command.state NOT IN ('SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED')`,
};
