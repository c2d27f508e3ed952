import type { Statement } from './statement.ts';

/** $1 account, $2 cursor of commands. */
export const beginFollowing: Statement = {
  name: 'session_begin_following',
  text: `INSERT INTO session.follower (account_id, command_cursor, venue_cursor) VALUES ($1, $2, '')
ON CONFLICT DO NOTHING RETURNING account_id`,
};

/** $1 account. */
export const readFollower: Statement = {
  name: 'session_follower',
  text: `SELECT account_id FROM session.follower WHERE account_id = $1`,
};

/** $1 replica, $2 length of the lease in ms, $3 how many. Accounts that nobody follows. */
export const claimFollowers: Statement = {
  name: 'session_claim_followers',
  text: `UPDATE session.follower f SET owner = $1, epoch = f.epoch + 1, lease_until = now() + $2::bigint * interval '1 millisecond'
FROM (SELECT account_id FROM session.follower WHERE lease_until IS NULL OR lease_until < now()
  LIMIT $3::integer FOR UPDATE SKIP LOCKED) free
WHERE f.account_id = free.account_id
RETURNING f.account_id AS "accountId", f.epoch, f.command_cursor AS "commandCursor", f.venue_cursor AS "venueCursor"`,
};

/** $1 account, $2 epoch, $3 length of the lease in ms. No row when somebody else has taken over. */
export const renewFollower: Statement = {
  name: 'session_renew_follower',
  text: `UPDATE session.follower SET lease_until = now() + $3::bigint * interval '1 millisecond'
WHERE account_id = $1 AND epoch = $2::bigint RETURNING account_id`,
};

/** $1 account, $2 epoch. */
export const releaseFollower: Statement = {
  name: 'session_release_follower',
  text: `UPDATE session.follower SET lease_until = NULL, owner = NULL WHERE account_id = $1 AND epoch = $2::bigint`,
};

/** $1 account, $2 epoch, $3 cursor of commands or NULL, $4 cursor of venue events or NULL. No row under an older epoch. */
export const moveCursors: Statement = {
  name: 'session_move_cursors',
  text: `UPDATE session.follower
SET command_cursor = coalesce($3, command_cursor), venue_cursor = coalesce($4, venue_cursor)
WHERE account_id = $1 AND epoch = $2::bigint RETURNING account_id`,
};
