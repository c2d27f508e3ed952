import type { Statement } from './statement.ts';

/** $1 owner, $2 replica, $3 address, $4 how long the lease runs in ms. Takes or renews the lease of all that the owner has. */
export const renewEvaluatorLease: Statement = {
  name: 'renew_evaluator_lease',
  text: `INSERT INTO evaluator.replica (owner_id, replica_id, address, lease_until)
VALUES ($1::uuid, $2, $3, clock_timestamp() + $4::integer * interval '1 ms')
ON CONFLICT (owner_id) DO UPDATE SET lease_until = excluded.lease_until`,
};

/** $1 how long ago in ms a lease must have ended. Forgets replicas that are gone, and what they had applied. */
export const forgetEvaluators: Statement = {
  name: 'forget_evaluators',
  text: `WITH gone AS (
  DELETE FROM evaluator.replica WHERE lease_until < clock_timestamp() - $1::integer * interval '1 ms' RETURNING owner_id
)
DELETE FROM evaluator.cache_state c USING gone WHERE c.owner_id = gone.owner_id`,
};

/** $1 owner. Replicas that live, instances that somebody has to own, and how many of them the owner has. */
export const countShares: Statement = {
  name: 'count_instance_shares',
  text: `SELECT
  (SELECT count(*) FROM evaluator.replica WHERE lease_until > clock_timestamp())::integer AS replicas,
  count(*)::integer AS live, count(*) FILTER (WHERE owner_id = $1::uuid)::integer AS own
FROM evaluator.instance WHERE status IN ('PENDING', 'ACTIVE', 'CLOSING')`,
};

/** $1 owner, $2 how many at most. Claims instances that nobody owns, or whose owner's lease has ended. */
export const claimInstances: Statement = {
  name: 'claim_instances',
  text: `WITH free AS MATERIALIZED (
  SELECT i.id FROM evaluator.instance i
  WHERE i.status IN ('PENDING', 'ACTIVE', 'CLOSING') AND NOT EXISTS (
    SELECT FROM evaluator.replica r WHERE r.owner_id = i.owner_id AND r.lease_until > clock_timestamp())
  ORDER BY i.id LIMIT $2::integer FOR UPDATE OF i SKIP LOCKED
)
UPDATE evaluator.instance i SET owner_id = $1::uuid, lease_epoch = i.lease_epoch + 1
FROM free WHERE i.id = free.id
RETURNING i.*, '' AS replica_id`,
};

/** $1 owner, $2 instances. Gives them up, for others to claim. */
export const releaseInstances: Statement = {
  name: 'release_instances',
  text: `UPDATE evaluator.instance SET owner_id = NULL WHERE id = ANY($2::text[]) AND owner_id = $1::uuid`,
};

/** $1 owner. Gives up everything and ends the lease. */
export const releaseEvaluator: Statement = {
  name: 'release_evaluator',
  text: `WITH released AS (UPDATE evaluator.instance SET owner_id = NULL WHERE owner_id = $1::uuid
    AND status IN ('PENDING', 'ACTIVE', 'CLOSING')),
  forgotten AS (DELETE FROM evaluator.cache_state WHERE owner_id = $1::uuid)
DELETE FROM evaluator.replica WHERE owner_id = $1::uuid`,
};

/** $1 owner. Which instances it has, under which epochs: for one whose lease may have ended meanwhile. */
export const listOwned: Statement = {
  name: 'list_owned_instances',
  text: `SELECT id, lease_epoch FROM evaluator.instance
WHERE owner_id = $1::uuid AND status IN ('PENDING', 'ACTIVE', 'CLOSING')`,
};

/** $1 owner, $2 for how many ms back. The owner's instances of which somebody else has changed what is wanted. */
export const readControlled: Statement = {
  name: 'read_controlled_instances',
  text: `SELECT i.*, '' AS replica_id FROM evaluator.instance i
WHERE i.control_time > clock_timestamp() - $2::integer * interval '1 ms' AND i.owner_id = $1::uuid`,
};

/** $1 replicas' owner id. Where its live owner can be asked. */
export const readOwnerAddress: Statement = {
  name: 'read_owner_address',
  text: `SELECT r.address, r.owner_id FROM evaluator.instance i JOIN evaluator.replica r ON r.owner_id = i.owner_id
WHERE i.id = $1 AND r.lease_until > clock_timestamp()`,
};
