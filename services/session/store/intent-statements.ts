import type { Statement } from './statement.ts';

/**
 * $1 account, $2 intents as a JSON array of {sessionId, body}, in order. Ids of sessions that the account does not have;
 * intents of those are not stored, and repeats change nothing.
 */
export const addIntents: Statement = {
  name: 'session_add_intents',
  text: `WITH given AS (
  SELECT (i.item ->> 'sessionId')::uuid AS session_id, i.item -> 'body' AS body, i.place
  FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS i(item, place)
), known AS (
  SELECT g.* FROM given g JOIN session.session s ON s.id = g.session_id AND s.account_id = $1
), added AS (
  INSERT INTO session.intent (account_id, id, session_id, body)
  SELECT $1, body ->> 'id', session_id, body FROM known ORDER BY place
  ON CONFLICT DO NOTHING
  RETURNING session_id
), kicked AS (
  INSERT INTO session.work AS w (session_id, due_time)
  SELECT DISTINCT session_id, now() FROM added ORDER BY session_id
  ON CONFLICT (session_id) DO UPDATE SET due_time = now(), kicks = w.kicks + 1
)
SELECT DISTINCT g.session_id AS id FROM given g WHERE NOT EXISTS (SELECT FROM known k WHERE k.place = g.place)`,
};

/** $1 session, $2 how many. In the order of their arrival. */
export const readIntents: Statement = {
  name: 'session_intents',
  text: `SELECT id, number, body FROM session.intent
WHERE session_id = $1::uuid AND NOT done ORDER BY number LIMIT $2::integer`,
};

/** $1 account, $2 ids. By id: one with a lower number may have been committed since they were read. */
export const intentsDone: Statement = {
  name: 'session_intents_done',
  text: `UPDATE session.intent SET done = true WHERE account_id = $1 AND id = ANY($2::text[])`,
};
