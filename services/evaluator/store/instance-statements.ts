import type { Statement } from './statement.ts';

/** An instance with the replica whose lease on it runs. */
const STORED = `SELECT i.*, coalesce(r.replica_id, '') AS replica_id
FROM evaluator.instance i
LEFT JOIN evaluator.replica r ON r.owner_id = i.owner_id AND r.lease_until > clock_timestamp()`;

/** $1 account. Its first row. */
export const addEvaluatorAccount: Statement = {
  name: 'add_evaluator_account',
  text: 'INSERT INTO evaluator.account (id) VALUES ($1) ON CONFLICT DO NOTHING',
};

/**
 * $1 account, $2 session, $3 paused, $4 wanted instances as json. Makes them wanted. What runs as it is wanted stays as it is;
 * what has ended begins again with what it remembers. Gives nothing for ids of another account or session.
 */
export const wantInstances: Statement = {
  name: 'want_instances',
  text: `INSERT INTO evaluator.instance AS i
  (id, account_id, session_id, strategy_id, symbol, pin_policy, status, wanted_revision, paused, data)
SELECT n.id, $1, $2, n."strategyId", n.symbol, n."pinPolicy", 'PENDING', n.revision, $3::boolean, n.data
FROM json_to_recordset($4::json) AS n(id text, "strategyId" text, revision bigint, symbol text, "pinPolicy" text, data json)
ORDER BY n.id
ON CONFLICT (id) DO UPDATE SET
  pin_policy = excluded.pin_policy, paused = excluded.paused, wanted_revision = excluded.wanted_revision,
  fault = '', control_time = clock_timestamp(),
  status = CASE WHEN i.status = 'ACTIVE' AND (i.running_revision = excluded.wanted_revision
    OR i.pin_policy = 'FOLLOW_LATEST' AND i.running_revision > excluded.wanted_revision) THEN 'ACTIVE' ELSE 'PENDING' END,
  evaluated_sequence = CASE WHEN i.status IN ('FAILED', 'INACTIVE') THEN 0 ELSE i.evaluated_sequence END,
  evaluated_ms = CASE WHEN i.status IN ('FAILED', 'INACTIVE') THEN '-infinity' ELSE i.evaluated_ms END
WHERE i.account_id = excluded.account_id AND i.session_id = excluded.session_id
  AND i.strategy_id = excluded.strategy_id AND i.symbol = excluded.symbol
RETURNING i.id`,
};

/** $1 account, $2 instances. Ends them: their owner's writes change nothing from now on. */
export const endInstances: Statement = {
  name: 'end_instances',
  text: `UPDATE evaluator.instance SET status = 'INACTIVE', owner_id = NULL, lease_epoch = lease_epoch + 1,
  control_time = clock_timestamp()
WHERE account_id = $1 AND id = ANY($2::text[]) AND status <> 'INACTIVE'`,
};

/** $1 account, $2 instances. Has their owners end them when they are flat; those that never ran end at once. */
export const closeInstances: Statement = {
  name: 'close_instances',
  text: `UPDATE evaluator.instance SET control_time = clock_timestamp(),
  status = CASE WHEN status = 'ACTIVE' OR status = 'PENDING' AND running_revision > 0 THEN 'CLOSING' ELSE 'INACTIVE' END
WHERE account_id = $1 AND id = ANY($2::text[]) AND status IN ('ACTIVE', 'PENDING', 'FAILED')`,
};

/** $1 account, $2 instances, $3 whether entries are held back. */
export const pauseInstancesById: Statement = {
  name: 'pause_instances',
  text: `UPDATE evaluator.instance SET paused = $3::boolean, control_time = clock_timestamp()
WHERE account_id = $1 AND id = ANY($2::text[]) AND paused <> $3::boolean`,
};

/** $1 account, $2 instances. */
export const readInstancesById: Statement = {
  name: 'read_instances',
  text: `${STORED} WHERE i.account_id = $1 AND i.id = ANY($2::text[])`,
};

/** $1 account, $2 session or empty, $3 strategy or empty, $4 whether ended ones too, $5 how many. */
export const listInstancesOf: Statement = {
  name: 'list_instances',
  text: `${STORED} WHERE i.account_id = $1 AND ($2 = '' OR i.session_id = $2) AND ($3 = '' OR i.strategy_id = $3)
  AND ($4::boolean OR i.status <> 'INACTIVE')
ORDER BY i.session_id, i.strategy_name, i.symbol, i.id LIMIT $5::integer`,
};

/** $1 account, $2 session, $3 strategy's name or id, $4 symbol. The newest that fits. */
export const findInstance: Statement = {
  name: 'find_instance',
  text: `${STORED} WHERE i.account_id = $1 AND i.session_id = $2 AND $3 IN (i.strategy_id, i.strategy_name) AND i.symbol = $4
ORDER BY i.status = 'INACTIVE', i.create_time DESC LIMIT 1`,
};

/** Accounts that have live instances. */
export const listFollowedAccounts: Statement = {
  name: 'list_followed_accounts',
  text: `SELECT DISTINCT account_id FROM evaluator.instance WHERE status IN ('PENDING', 'ACTIVE', 'CLOSING')`,
};

/**
 * $1 days to keep, $2 how many rows. Instances that ended so long ago that no evaluation of them is kept any more. One stays
 * while another instance of its session has not ended, and while an intent of it is on its way or an outcome of it was not
 * taken in. Gives how many were removed.
 */
export const removeInstances: Statement = {
  name: 'remove_instances',
  text: `WITH removed AS (
  DELETE FROM evaluator.instance WHERE ctid = ANY(ARRAY(
    SELECT i.ctid FROM evaluator.instance i
    WHERE i.status = 'INACTIVE' AND i.control_time < now() - $1::integer * interval '1 day'
      AND NOT EXISTS (SELECT FROM evaluator.evaluation e WHERE e.instance_id = i.id)
      AND NOT EXISTS (SELECT FROM evaluator.intent t WHERE t.instance_id = i.id)
      AND NOT EXISTS (SELECT FROM evaluator.outcome o WHERE o.instance_id = i.id AND NOT o.applied)
      AND NOT EXISTS (SELECT FROM evaluator.instance other
        WHERE other.account_id = i.account_id AND other.session_id = i.session_id AND other.status <> 'INACTIVE')
    ORDER BY i.control_time LIMIT $2::integer)) RETURNING 1
)
SELECT count(*)::integer AS removed FROM removed`,
};
