import type { Statement } from './types.ts';

/** An executor with what its owner's heartbeat says: a replica counts as alive for 5 s after its last one. */
const EXECUTOR = `e.*, r.heartbeat_time AS owner_seen_time,
  (e.connect_time IS NOT NULL AND e.disconnect_time IS NULL
    AND r.heartbeat_time > now() - interval '5 seconds') IS TRUE AS online`;
const OWNER = 'LEFT JOIN command.replica r ON r.id = e.owner_replica';
const OPEN_COUNTS = `CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE c.state <> 'PENDING')::integer AS in_flight,
    count(*) FILTER (WHERE c.state = 'PENDING')::integer AS queued
  FROM command.command c WHERE c.executor_id = e.id AND c.due_time < 'infinity') open`;
const REFUSAL_FACTS = `CASE WHEN f.executor_id IS NOT NULL THEN jsonb_build_object(
  'atMs', floor(extract(epoch FROM f.refuse_time) * 1000), 'sinceMs', floor(extract(epoch FROM f.since_time) * 1000),
  'reason', f.reason, 'message', f.message, 'keyId', f.key_id, 'isProven', f.proven, 'link', f.link,
  'agent', CASE WHEN f.host IS NOT NULL THEN jsonb_build_object('version', f.agent_version,
    'contractDigest', f.contract_digest, 'host', f.host) END) END`;
const REFUSAL = 'LEFT JOIN command.refusal f ON f.executor_id = e.id';

/** Arrays: $1 accounts, $2 names or NULL, $3 ids or NULL; one of the two finds. `ord` is the place in the arrays, from 1. */
export const findExecutors: Statement = {
  name: 'find_executors',
  text: `WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[]) WITH ORDINALITY AS w(account_id, name, id, ord)),
found AS (
  SELECT w.ord, e.id FROM wanted w JOIN command.executor e ON e.account_id = w.account_id AND e.name = w.name
  UNION ALL
  SELECT w.ord, e.id FROM wanted w JOIN command.executor e ON e.id = w.id AND e.account_id = w.account_id
)
SELECT f.ord, ${EXECUTOR} FROM found f JOIN command.executor e ON e.id = f.id ${OWNER}`,
};

/** $1 account, $2 ids, $3 how many credentials of each, newest first. */
export const readExecutorViews: Statement = {
  name: 'read_executor_views',
  text: `SELECT ${EXECUTOR}, open.in_flight AS in_flight, open.queued AS queued, keys.credentials, ${REFUSAL_FACTS} AS refusal
FROM command.executor e ${OWNER} ${OPEN_COUNTS} ${REFUSAL}
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_agg(jsonb_build_object('keyId', k.key_id,
    'createMs', floor(extract(epoch FROM k.create_time) * 1000),
    'expireMs', floor(extract(epoch FROM k.expire_time) * 1000)) ORDER BY k.create_time DESC, k.key_id), '[]') AS credentials
  FROM (SELECT * FROM command.credential WHERE executor_id = e.id ORDER BY create_time DESC, key_id LIMIT $3::integer) k) keys
WHERE e.account_id = $1 AND e.id = ANY($2::uuid[])`,
};

/** $1 account, $2 name after which, $3 how many, $4 labels that must all match. */
export const listExecutors: Statement = {
  name: 'list_executors',
  text: `SELECT id, name FROM command.executor
WHERE account_id = $1 AND name > $2 AND labels @> $3::jsonb ORDER BY name LIMIT $4::integer`,
};

/**
 * $1 account, $2 executor id or NULL for all. A text for each that changes with everything an executor's view shows: the
 * row's own version, whether its owner lives, its counts, and its latest refusal.
 */
export const readExecutorVersions: Statement = {
  name: 'read_executor_versions',
  text: `SELECT e.id, concat_ws(' ', e.xmin, r.heartbeat_time > now() - interval '5 seconds', open.in_flight, open.queued, f.xmin) AS version
FROM command.executor e ${OWNER} ${OPEN_COUNTS} ${REFUSAL}
WHERE e.account_id = $1 AND ($2::uuid IS NULL OR e.id = $2::uuid)
ORDER BY e.name`,
};

/** $1 account, $2 id, $3 name, $4 labels, $5 key id, $6 secret hash. Gives no row when the name is taken. */
export const createExecutor: Statement = {
  name: 'create_executor',
  text: `WITH account AS (
  INSERT INTO command.account (id) VALUES ($1::text) ON CONFLICT (id) DO NOTHING
), created AS (
  INSERT INTO command.executor (id, account_id, name, labels) VALUES ($2::uuid, $1::text, $3::text, $4::jsonb)
  ON CONFLICT (account_id, name) DO NOTHING RETURNING id
)
INSERT INTO command.credential (key_id, executor_id, secret_hash) SELECT $5::text, id, $6::bytea FROM created RETURNING key_id`,
};

/** $1 account, $2 id. Held until the transaction ends, so that two changes of its credentials follow each other. */
export const lockExecutor: Statement = {
  name: 'lock_executor',
  text: `SELECT disable_time IS NOT NULL AS disabled FROM command.executor
WHERE account_id = $1 AND id = $2::uuid FOR UPDATE`,
};

/** $1 executor id, $2 key id, $3 secret hash, $4 overlap in ms after which the other credentials end. */
export const rotateCredential: Statement = {
  name: 'rotate_credential',
  text: `WITH touched AS (
  UPDATE command.executor SET change_time = now() WHERE id = $1::uuid
), ended AS (
  UPDATE command.credential SET expire_time = now() + make_interval(secs => $4::double precision / 1000)
  WHERE executor_id = $1::uuid
    AND coalesce(expire_time, 'infinity') > now() + make_interval(secs => $4::double precision / 1000)
)
INSERT INTO command.credential (key_id, executor_id, secret_hash) VALUES ($2::text, $1::uuid, $3::bytea)`,
};

/** $1 executor id. Ends its credentials too. */
export const disableExecutor: Statement = {
  name: 'disable_executor',
  text: `WITH disabled AS (
  UPDATE command.executor SET disable_time = now(), change_time = now() WHERE id = $1::uuid AND disable_time IS NULL
  RETURNING id
)
UPDATE command.credential c SET expire_time = now() FROM disabled d
WHERE c.executor_id = d.id AND coalesce(c.expire_time, 'infinity') > now()`,
};

/** $1 key ids. What is needed to check their secrets. */
export const readCredentials: Statement = {
  name: 'read_credentials',
  text: `SELECT c.key_id, c.secret_hash, c.expire_time, coalesce(c.expire_time <= now(), false) AS ended,
  e.id AS executor_id, e.account_id, e.name, e.disable_time IS NOT NULL AS disabled
FROM command.credential c JOIN command.executor e ON e.id = c.executor_id WHERE c.key_id = ANY($1::text[])`,
};
