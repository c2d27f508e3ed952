import type { Statement } from './statement.ts';
import { selection, upsert } from './table.ts';
import { ACTIVATION, COMMAND, POSITION, SESSION, SIGNAL } from './tables.ts';

const OPEN_COMMAND = `c.state IN ('WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING', 'OUTCOME_UNKNOWN')`;

/** $1 sessions. Their rows, locked in this order: every change of a session and of what belongs to it waits here. */
export const lockSessions: Statement = {
  name: 'session_lock',
  text: `SELECT ${selection(SESSION, 's')} FROM session.session s WHERE s.id = ANY($1::uuid[]) ORDER BY s.id FOR NO KEY UPDATE`,
};

/** $1 sessions. Signals whose end is not known, and those of positions that are not over, in order. */
export const readOpenSignals: Statement = {
  name: 'session_open_signals',
  text: `SELECT ${selection(SIGNAL, 's')} FROM session.signal s
WHERE s.session_id = ANY($1::uuid[]) AND s.state IN ('DETECTED', 'ENTERING') ORDER BY s.create_time, s.id`,
};

/**
 * $1 sessions, $2 sessions and $3 ids of further positions, pair by pair, $4 ids of the commands that opened further ones,
 * $5 sessions of which those are looked at, too, that were found gone at a price that nobody has said yet.
 */
export const readOpenPositions: Statement = {
  name: 'session_open_positions',
  text: `SELECT ${selection(POSITION, 'p')} FROM session.position p
WHERE p.session_id = ANY($1::uuid[]) AND p.state IN ('ENTERING', 'OPEN', 'CLOSING', 'UNKNOWN')
UNION
SELECT ${selection(POSITION, 'p')} FROM unnest($2::uuid[], $3::text[]) AS k(session_id, id)
JOIN session.position p ON p.session_id = k.session_id AND p.id = k.id
UNION
SELECT ${selection(POSITION, 'p')} FROM session.position p
WHERE p.open_command_id <> '' AND p.open_command_id = ANY($4::text[]) AND p.session_id = ANY($1::uuid[])
UNION
SELECT ${selection(POSITION, 'p')} FROM session.position p
WHERE p.unpriced_quantity <> '' AND p.session_id = ANY($5::uuid[])
ORDER BY "createTimeMs", id`,
};

/** $1 sessions, $2 accounts, $3 request ids of further commands, of the executor's halts too. Without OUTCOME_UNKNOWN of long ago. */
export const readOpenCommands: Statement = {
  name: 'session_open_commands',
  text: `SELECT c.number, ${selection(COMMAND, 'c')} FROM session.command c WHERE c.session_id = ANY($1::uuid[]) AND ${OPEN_COMMAND}
UNION ALL
SELECT c.number, ${selection(COMMAND, 'c')} FROM session.command c
WHERE c.account_id = ANY($2::text[]) AND c.request_id = ANY($3::text[]) AND NOT (c.session_id = ANY($1::uuid[]) AND ${OPEN_COMMAND})
ORDER BY number`,
};

export const writeSessions = upsert('session_write', SESSION);
export const writeActivations = upsert('session_write_activations', ACTIVATION);
export const writeSignals = upsert('session_write_signals', SIGNAL);
export const writePositions = upsert('session_write_positions', POSITION);
export const writeCommands = upsert('session_write_commands', COMMAND);

/** $1 outcomes as a JSON array of {id, sessionId, …}, in order. */
export const writeOutcomes: Statement = {
  name: 'session_write_outcomes',
  text: `INSERT INTO session.outcome (id, session_id, body)
SELECT o.body ->> 'id', (o.body ->> 'sessionId')::uuid, o.body
FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS o(body, place) ORDER BY o.place
ON CONFLICT (id) DO NOTHING`,
};

/** $1 changes as a JSON array of {sessionId, number, kind, subjectId}. */
export const writeChanges: Statement = {
  name: 'session_write_changes',
  text: `INSERT INTO session.change (session_id, number, kind, subject_id)
SELECT c."sessionId", c.number, c.kind, c."subjectId"
FROM jsonb_to_recordset($1::jsonb) AS c("sessionId" uuid, number bigint, kind text, "subjectId" text)`,
};

/** As `session_write`, for a new session: no row when its request id was used before. */
export const insertSession: Statement = {
  name: 'session_insert',
  text: writeSessions.text.replace(/ON CONFLICT[^]*$/, 'ON CONFLICT DO NOTHING RETURNING id'),
};

/** $1 session, $2 how many. Not told yet, in order. */
export const readOutcomes: Statement = {
  name: 'session_outcomes',
  text: `SELECT body FROM session.outcome WHERE session_id = $1::uuid AND NOT told ORDER BY number LIMIT $2::integer`,
};

/** $1 ids. */
export const outcomesTold: Statement = {
  name: 'session_outcomes_told',
  text: `UPDATE session.outcome SET told = true WHERE id = ANY($1::text[])`,
};
