import type { Statement } from './types.ts';

/**
 * Arrays: $1 executor ids, each at most once, $2 how long ago in ms, $3 reasons, $4 messages, $5 key ids, $6 whether the
 * secret was right, $7 link kinds, $8 agent versions or NULL, $9 digests or NULL, $10 hosts or NULL. Keeps the latest of
 * each executor; but who brings a wrong secret is anybody who knows a key, and never covers up, for ten minutes, why the
 * agent itself was refused.
 */
export const keepRefusals: Statement = {
  name: 'keep_refusals',
  text: `INSERT INTO command.refusal AS r
  (executor_id, refuse_time, since_time, reason, message, key_id, proven, link, agent_version, contract_digest, host)
SELECT id, now() - age, now() - age, reason, message, key_id, proven, link, agent_version, contract_digest, host
FROM (
  SELECT u.*, make_interval(secs => u.age_ms / 1000) AS age
  FROM unnest($1::uuid[], $2::double precision[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[],
      $8::text[], $9::text[], $10::text[])
    AS u(id, age_ms, reason, message, key_id, proven, link, agent_version, contract_digest, host)
) u
ON CONFLICT (executor_id) DO UPDATE SET
  refuse_time = excluded.refuse_time, reason = excluded.reason, message = excluded.message, key_id = excluded.key_id,
  proven = excluded.proven, link = excluded.link, agent_version = excluded.agent_version,
  contract_digest = excluded.contract_digest, host = excluded.host,
  since_time = CASE WHEN r.proven = excluded.proven AND NOT EXISTS (
      SELECT FROM command.executor e WHERE e.id = r.executor_id AND e.connect_time > r.refuse_time)
    THEN r.since_time ELSE excluded.since_time END
WHERE r.refuse_time < excluded.refuse_time
  AND (excluded.proven OR NOT r.proven OR r.refuse_time < excluded.refuse_time - interval '10 minutes')`,
};
