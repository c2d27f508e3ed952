import type { Statement } from './statement.ts';

/** $1 owner, $2 accounts, $3 revisions, $4 digests. */
export const noteCaches: Statement = {
  name: 'note_caches',
  text: `INSERT INTO evaluator.cache_state (owner_id, account_id, applied_revision, digest)
SELECT $1::uuid, n.account, n.revision, n.digest FROM unnest($2::text[], $3::bigint[], $4::text[]) AS n(account, revision, digest)
ON CONFLICT (account_id, owner_id) DO UPDATE
  SET applied_revision = excluded.applied_revision, digest = excluded.digest, update_time = clock_timestamp()`,
};

/** $1 account. What the live replicas have applied. */
export const listCacheStates: Statement = {
  name: 'list_cache_states',
  text: `SELECT r.replica_id, c.applied_revision, c.digest, c.update_time
FROM evaluator.cache_state c JOIN evaluator.replica r ON r.owner_id = c.owner_id
WHERE c.account_id = $1 AND r.lease_until > clock_timestamp() ORDER BY r.replica_id, r.owner_id`,
};

/** $1 account, $2 strategy, $3 revision, $4 definition. */
export const keepDefinition: Statement = {
  name: 'keep_definition',
  text: `INSERT INTO evaluator.definition (account_id, strategy_id, revision, payload) VALUES ($1, $2, $3::bigint, $4)
ON CONFLICT DO NOTHING`,
};

/** $1 account, $2 strategy, $3 revision. */
export const readDefinition: Statement = {
  name: 'read_definition',
  text: `SELECT payload FROM evaluator.definition WHERE account_id = $1 AND strategy_id = $2 AND revision = $3::bigint`,
};

/** $1 days to keep, $2 how many rows. Revisions that no live instance runs or is to run. Gives how many were removed. */
export const removeDefinitions: Statement = {
  name: 'remove_definitions',
  text: `WITH used AS MATERIALIZED (
  SELECT account_id, strategy_id, running_revision, wanted_revision FROM evaluator.instance
  WHERE status IN ('PENDING', 'ACTIVE', 'CLOSING')
), removed AS (
  DELETE FROM evaluator.definition WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM evaluator.definition d
    WHERE d.create_time < now() - $1::integer * interval '1 day' AND NOT EXISTS (
      SELECT FROM used u WHERE u.account_id = d.account_id AND u.strategy_id = d.strategy_id
        AND d.revision IN (u.running_revision, u.wanted_revision))
    ORDER BY d.create_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};
