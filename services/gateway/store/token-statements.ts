import type { Statement } from './statement.ts';

/** $1 token id. */
export const findToken: Statement = {
  name: 'find_token',
  text: 'SELECT id, account_id, name, role, secret_hash, create_time, revoke_time FROM gateway.token WHERE id = $1',
};

/** $1 account. Oldest first. */
export const listTokens: Statement = {
  name: 'list_tokens',
  text: `SELECT id, account_id, name, role, secret_hash, create_time, revoke_time FROM gateway.token
WHERE account_id = $1 ORDER BY create_time, id`,
};

/** $1 account, $2 id or name. An id wins over a name, an active token over revoked ones of the same name. */
export const resolveToken: Statement = {
  name: 'resolve_token',
  text: `SELECT id, account_id, name, role, secret_hash, create_time, revoke_time FROM gateway.token
WHERE account_id = $1 AND (id = $2 OR name = $2)
ORDER BY (id = $2) DESC, (revoke_time IS NULL) DESC, create_time DESC LIMIT 1`,
};

/** $1 id, $2 account, $3 name, $4 role, $5 secret hash. No row when an active token of the account has the name. */
export const insertToken: Statement = {
  name: 'insert_token',
  text: `INSERT INTO gateway.token (id, account_id, name, role, secret_hash) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, name) WHERE revoke_time IS NULL DO NOTHING
RETURNING id, account_id, name, role, secret_hash, create_time, revoke_time`,
};

/** $1 id. No row when it is revoked already. */
export const revokeToken: Statement = {
  name: 'revoke_token',
  text: `UPDATE gateway.token SET revoke_time = greatest(now(), create_time) WHERE id = $1 AND revoke_time IS NULL
RETURNING id, account_id, name, role, secret_hash, create_time, revoke_time`,
};

/** $1 account. Tokens that are not revoked, and the admins among them. */
export const countActiveTokens: Statement = {
  name: 'count_active_tokens',
  text: `SELECT count(*)::integer AS active, count(*) FILTER (WHERE role = 'admin')::integer AS admins
FROM gateway.token WHERE account_id = $1 AND revoke_time IS NULL`,
};

/** Whether any token was ever made. */
export const anyToken: Statement = {
  name: 'any_token',
  text: 'SELECT EXISTS (SELECT FROM gateway.token) AS found',
};
