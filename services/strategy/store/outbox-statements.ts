import type { Statement } from './statement.ts';

/** $1 age in ms, $2 how many: revisions that nobody has published in that time, in the order of each account. */
export const readUnpublished: Statement = {
  name: 'read_unpublished',
  text: `SELECT r.account_id, r.number, r.type, r.strategy_id, r.definition::text AS definition, r.author,
  encode(r.digest, 'hex') AS digest, r.time, s.create_time
FROM strategy.outbox o
JOIN strategy.revision r ON r.account_id = o.account_id AND r.number = o.number
JOIN strategy.strategy s ON s.id = r.strategy_id
WHERE o.time <= now() - make_interval(secs => $1::double precision / 1000)
ORDER BY o.account_id, o.number LIMIT $2::integer`,
};

/** Arrays: $1 accounts, $2 numbers. */
export const removePublished: Statement = {
  name: 'remove_published',
  text: `DELETE FROM strategy.outbox o USING unnest($1::text[], $2::bigint[]) AS p(account_id, number)
WHERE o.account_id = p.account_id AND o.number = p.number`,
};

/** $1 age in ms or NULL for all: accounts whose strategies have changed since, $2 id after which, $3 how many. */
export const readChangedAccounts: Statement = {
  name: 'read_changed_accounts',
  text: `SELECT id, revision, encode(digest, 'hex') AS digest FROM strategy.account
WHERE id > $2::text AND revision > 0
  AND ($1::double precision IS NULL OR change_time > now() - make_interval(secs => $1::double precision / 1000))
ORDER BY id LIMIT $3::integer`,
};
