import type { Statement } from './row-types.ts';

/** A source as rows are read everywhere. */
const SOURCE = `s.id, s.account_id, s.symbol, s.kind, s.state, s.reason, s.create_time, s.position, s.stats, s.stop_requested,
  s.owner_replica, s.owner_url, s.lease_epoch, coalesce(s.lease_expire_time > now(), false) AS leased`;

/**
 * $1 id, $2 account, $3 symbol, $4 kind, $5 counts, $6 replica, $7 its address, $8 lease in ms. It goes on with the symbol's
 * numbers. No row: another source runs for the symbol.
 */
export const startSource: Statement = {
  name: 'market_start_source',
  text: `INSERT INTO market.source AS s (id, account_id, symbol, kind, state, position, stats, owner_replica, owner_url,
  lease_epoch, lease_expire_time)
SELECT $1::uuid, $2::text, $3::text, $4::jsonb, 'RUNNING', jsonb_build_object('index', 0, 'sequence', coalesce(
    (SELECT head_sequence FROM market.symbol WHERE account_id = $2::text AND symbol = $3::text), 0)),
  $5::jsonb, $6::text, $7::text, 1, now() + make_interval(secs => $8::double precision / 1000)
ON CONFLICT (account_id, symbol) WHERE state = 'RUNNING' DO NOTHING
RETURNING ${SOURCE}`,
};

/** $1 account, $2 id. */
export const findSource: Statement = {
  name: 'market_find_source',
  text: `SELECT ${SOURCE} FROM market.source s WHERE s.account_id = $1 AND s.id = $2::uuid`,
};

/** $1 account, $2 symbol. */
export const findRunningSource: Statement = {
  name: 'market_find_running_source',
  text: `SELECT ${SOURCE} FROM market.source s WHERE s.account_id = $1 AND s.symbol = $2 AND s.state = 'RUNNING'`,
};

/** $1 account, $2 symbol or '' for all, $3 whether only running ones, $4 how many. Running ones first, then newest first. */
export const listSources: Statement = {
  name: 'market_list_sources',
  text: `SELECT ${SOURCE} FROM market.source s
WHERE s.account_id = $1 AND ($2::text = '' OR s.symbol = $2::text) AND (NOT $3::boolean OR s.state = 'RUNNING')
ORDER BY s.state = 'RUNNING' DESC, s.id DESC LIMIT $4::integer`,
};

/** $1 account, $2 symbol. */
export const findNewestSource: Statement = {
  name: 'market_find_newest_source',
  text: `SELECT ${SOURCE} FROM market.source s WHERE s.account_id = $1 AND s.symbol = $2
ORDER BY s.state = 'RUNNING' DESC, s.id DESC LIMIT 1`,
};

/** $1 id. */
export const requestSourceStop: Statement = {
  name: 'market_request_source_stop',
  text: `UPDATE market.source s SET stop_requested = true, change_time = now() WHERE s.id = $1::uuid RETURNING ${SOURCE}`,
};

/**
 * $1 id, $2 how far the symbol's numbers are moved on: its owner may have told watchers of events that it did not store, whose
 * numbers must not be given to others.
 */
export const stopAbandonedSource: Statement = {
  name: 'market_stop_abandoned_source',
  text: `WITH stopped AS (
  UPDATE market.source s SET state = 'STOPPED', reason = 'stopped', change_time = now(), lease_epoch = lease_epoch + 1
  WHERE s.id = $1::uuid AND s.state = 'RUNNING' AND coalesce(s.lease_expire_time <= now(), true)
  RETURNING s.account_id, s.symbol
), moved AS (
  UPDATE market.symbol y SET head_sequence = y.head_sequence + $2::bigint FROM stopped
  WHERE y.account_id = stopped.account_id AND y.symbol = stopped.symbol
)
SELECT count(*)::integer AS stopped FROM stopped`,
};

/** $1 ids, $2 replica, $3 lease in ms. */
export const renewSources: Statement = {
  name: 'market_renew_sources',
  text: `UPDATE market.source s SET lease_expire_time = now() + make_interval(secs => $3::double precision / 1000)
WHERE s.id = ANY($1::uuid[]) AND s.owner_replica = $2 AND s.state = 'RUNNING' RETURNING ${SOURCE}`,
};

/** $1 ids that the replica holds, $2 replica, $3 its address, $4 lease in ms, $5 how many. */
export const claimSources: Statement = {
  name: 'market_claim_sources',
  text: `UPDATE market.source s SET owner_replica = $2, owner_url = $3, lease_epoch = s.lease_epoch + 1,
  lease_expire_time = now() + make_interval(secs => $4::double precision / 1000)
WHERE s.id IN (
  SELECT o.id FROM market.source o
  WHERE o.state = 'RUNNING' AND NOT (o.id = ANY($1::uuid[]))
    AND (coalesce(o.lease_expire_time <= now(), true) OR o.owner_replica = $2)
  ORDER BY o.id LIMIT $5::integer FOR UPDATE SKIP LOCKED
)
RETURNING ${SOURCE}`,
};

/** $1 ids, $2 replica. */
export const releaseSources: Statement = {
  name: 'market_release_sources',
  text: `UPDATE market.source SET lease_expire_time = now(), owner_replica = NULL, owner_url = NULL
WHERE id = ANY($1::uuid[]) AND owner_replica = $2`,
};
