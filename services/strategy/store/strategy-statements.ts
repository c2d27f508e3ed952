import type { Statement } from './statement.ts';

/** A revision with what stands beside it. */
const REVISION = `r.account_id, r.number, r.type, r.strategy_id, r.definition::text AS definition, r.author,
  encode(r.digest, 'hex') AS digest, r.time, s.create_time`;

/** $1 account. Does nothing when it is there. */
export const addStrategyAccount: Statement = {
  name: 'add_strategy_account',
  text: 'INSERT INTO strategy.account (id) VALUES ($1::text) ON CONFLICT (id) DO NOTHING',
};

/** $1 account. Held until the end of the transaction: changes of an account follow one another. */
export const lockStrategyAccount: Statement = {
  name: 'lock_strategy_account',
  text: 'SELECT revision FROM strategy.account WHERE id = $1 FOR NO KEY UPDATE',
};

/**
 * $1 account, $2 name or NULL, $3 id or NULL, $4 request id or NULL. What a change has to look at: the strategy with that id,
 * the one that has the name, the one that the request made. Read after the account is locked, by a snapshot of its own.
 */
export const readStrategyFacts: Statement = {
  name: 'read_strategy_facts',
  text: `WITH wanted AS (
  SELECT id FROM strategy.strategy WHERE id = $3::uuid AND account_id = $1
  UNION SELECT id FROM strategy.strategy WHERE account_id = $1 AND request_id = $4::text
  UNION SELECT id FROM strategy.strategy WHERE account_id = $1 AND name = $2::text AND delete_time IS NULL
)
SELECT s.id, s.name, s.revision, s.create_revision, s.delete_time IS NOT NULL AS deleted, s.request_id,
  encode(s.request_digest, 'hex') AS request_digest, r.definition::text AS definition
FROM wanted w JOIN strategy.strategy s ON s.id = w.id
JOIN strategy.revision r ON r.account_id = s.account_id AND r.number = s.revision`,
};

/**
 * $1 account, $2 revision number, $3 strategy id, $4 type, $5 name, $6 definition, $7 author, $8 request id or NULL, $9 digest of
 * the request in hex or NULL. The account's row is locked. The digest is over what will be live: everything that is, without
 * this strategy, and this one as it becomes.
 */
export const writeRevision: Statement = {
  name: 'write_revision',
  text: `WITH live AS (
  SELECT id, revision FROM strategy.strategy WHERE account_id = $1 AND delete_time IS NULL AND id <> $3::uuid
  UNION ALL SELECT $3::uuid, $2::bigint WHERE $4::text <> 'DELETED'
), digest AS (
  SELECT sha256(convert_to(coalesce(string_agg(id || ':' || revision || E'\\n', '' ORDER BY id), ''), 'UTF8')) AS digest FROM live
), account AS (
  UPDATE strategy.account a SET revision = $2::bigint, digest = d.digest, change_time = statement_timestamp()
  FROM digest d WHERE a.id = $1
), strategy AS (
  INSERT INTO strategy.strategy AS s (id, account_id, name, revision, create_revision, create_time, delete_time, request_id, request_digest)
  VALUES ($3::uuid, $1, $5::text, $2::bigint, $2::bigint, statement_timestamp(), NULL, $8::text, decode($9::text, 'hex'))
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, revision = excluded.revision,
    delete_time = CASE WHEN $4::text = 'DELETED' THEN statement_timestamp() END
  RETURNING s.create_time
), outbox AS (
  INSERT INTO strategy.outbox (account_id, number, time) VALUES ($1, $2::bigint, statement_timestamp())
)
INSERT INTO strategy.revision AS r (account_id, number, strategy_id, type, definition, author, digest, time)
SELECT $1, $2::bigint, $3::uuid, $4::text, $6::json, $7::text, d.digest, statement_timestamp() FROM digest d
RETURNING encode(r.digest, 'hex') AS digest, r.time, (SELECT create_time FROM strategy) AS create_time`,
};

/** $1 account, $2 name or NULL, $3 id or NULL: one of the two finds. */
export const findStrategy: Statement = {
  name: 'find_strategy',
  text: `SELECT id FROM strategy.strategy WHERE id = $3::uuid AND account_id = $1
UNION ALL SELECT id FROM strategy.strategy WHERE account_id = $1 AND name = $2::text AND delete_time IS NULL`,
};

/** $1 account, $2 strategy, $3 number up to which, $4 how many, newest first. */
export const readRevisions: Statement = {
  name: 'read_revisions',
  text: `SELECT ${REVISION} FROM strategy.revision r JOIN strategy.strategy s ON s.id = r.strategy_id
WHERE r.strategy_id = $2::uuid AND r.account_id = $1 AND r.number <= $3::bigint
ORDER BY r.number DESC LIMIT $4::integer`,
};

/** $1 account, $2 name after which, $3 how many. */
export const listStrategies: Statement = {
  name: 'list_strategies',
  text: `SELECT ${REVISION}, s.name FROM strategy.strategy s
JOIN strategy.revision r ON r.account_id = s.account_id AND r.number = s.revision
WHERE s.account_id = $1 AND s.name > $2::text AND s.delete_time IS NULL ORDER BY s.name LIMIT $3::integer`,
};

/** $1 account, $2 ids. */
export const readNewestRevisions: Statement = {
  name: 'read_newest_revisions',
  text: 'SELECT id, revision FROM strategy.strategy WHERE account_id = $1 AND id = ANY($2::uuid[])',
};

/** $1 account. */
export const readStrategyAccount: Statement = {
  name: 'read_strategy_account',
  text: `SELECT revision, encode(digest, 'hex') AS digest FROM strategy.account WHERE id = $1`,
};

/**
 * $1 account, $2 revision after which, $3 how many. Changes and newest revision come from one snapshot: what is committed up to
 * that revision is in it. One row without `number` when there is nothing.
 */
export const readChangesAfter: Statement = {
  name: 'read_changes_after',
  text: `SELECT a.revision AS newest, encode(a.digest, 'hex') AS newest_digest, c.*
FROM strategy.account a LEFT JOIN LATERAL (
  SELECT ${REVISION} FROM strategy.revision r JOIN strategy.strategy s ON s.id = r.strategy_id
  WHERE r.account_id = a.id AND r.number > $2::bigint ORDER BY r.number LIMIT $3::integer) c ON true
WHERE a.id = $1 ORDER BY c.number`,
};

/** $1 account, $2 request id: what an update with it has made. */
export const findUpdateRequest: Statement = {
  name: 'find_update_request',
  text: `SELECT encode(digest, 'hex') AS digest, strategy_id, revision FROM strategy.request
WHERE account_id = $1 AND request_id = $2::text`,
};

/** $1 account, $2 request id, $3 digest of what was asked in hex, $4 strategy, $5 revision. The account's row is locked. */
export const addUpdateRequest: Statement = {
  name: 'add_update_request',
  text: `INSERT INTO strategy.request (account_id, request_id, digest, strategy_id, revision, time)
VALUES ($1, $2::text, decode($3::text, 'hex'), $4::uuid, $5::bigint, statement_timestamp())`,
};
