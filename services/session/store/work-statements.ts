import type { Statement } from './statement.ts';

/** $1 sessions. Asks for work on them now. */
export const kickWork: Statement = {
  name: 'session_kick_work',
  text: `INSERT INTO session.work AS w (session_id, due_time)
SELECT id, now() FROM unnest($1::uuid[]) AS id ORDER BY id
ON CONFLICT (session_id) DO UPDATE SET due_time = now(), kicks = w.kicks + 1`,
};

/** $1 replica, $2 length of the lease in ms, $3 how many. Sessions that are due and that nobody works on. */
export const claimWork: Statement = {
  name: 'session_claim_work',
  text: `WITH due AS (
  SELECT session_id FROM session.work
  WHERE due_time <= now() AND due_time < 'infinity' AND (lease_until IS NULL OR lease_until < now())
  ORDER BY due_time LIMIT $3::integer FOR UPDATE SKIP LOCKED
)
UPDATE session.work w SET owner = $1, lease_until = now() + $2::bigint * interval '1 millisecond'
FROM due WHERE w.session_id = due.session_id
RETURNING w.session_id AS "sessionId", w.kicks`,
};

/** $1 session, $2 replica, $3 length of the lease in ms. No row when it was lost. */
export const renewWork: Statement = {
  name: 'session_renew_work',
  text: `UPDATE session.work SET lease_until = now() + $3::bigint * interval '1 millisecond'
WHERE session_id = $1::uuid AND owner = $2 AND lease_until > now() RETURNING session_id`,
};

/** $1 session, $2 replica, $3 kicks that were seen, $4 ms until the next look or NULL for none. A kick since then is due now. */
export const releaseWork: Statement = {
  name: 'session_release_work',
  text: `UPDATE session.work SET owner = NULL, lease_until = NULL,
  due_time = CASE WHEN kicks <> $3::bigint THEN now()
    ELSE coalesce(now() + $4::bigint * interval '1 millisecond', 'infinity') END
WHERE session_id = $1::uuid AND owner = $2
RETURNING due_time <= now() AS due`,
};
