import type { Statement } from './statement.ts';

const ALERT = `account_id AS "accountId", rule, subject, occurrence, state, sentence, next, fire_time AS "fireMs",
  seen_time AS "seenMs", notice_time AS "noticeMs", recover_time AS "recoverMs"`;

/** $1 replica, $2 lease in ms. One row while this replica is the one that looks. */
export const holdWatch: Statement = {
  name: 'alert_hold_watch',
  text: `INSERT INTO alert.watch AS w (id, holder, lease_until)
VALUES (1, $1, now() + make_interval(secs => $2::double precision / 1000))
ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
WHERE w.holder = excluded.holder OR w.lease_until < now()
RETURNING id`,
};

/** $1 replica. Locked: a replica that has lost the watch meanwhile stores nothing. */
export const lockWatch: Statement = {
  name: 'alert_lock_watch',
  text: 'SELECT id FROM alert.watch WHERE id = 1 AND holder = $1 AND lease_until > now() FOR UPDATE',
};

/** $1 time of the look in ms. */
export const noteLook: Statement = {
  name: 'alert_note_look',
  text: 'UPDATE alert.watch SET look_time = to_timestamp($1::double precision / 1000) WHERE id = 1',
};

export const readLook: Statement = {
  name: 'alert_read_look',
  text: 'SELECT look_time AS "lookMs" FROM alert.watch WHERE id = 1',
};

/** Arrays: $1 accounts, $2 rules, $3 subjects. Every alert that fires, and these. */
export const readKnown: Statement = {
  name: 'alert_read_known',
  text: `SELECT ${ALERT} FROM alert.alert WHERE state = 'FIRING'
UNION
SELECT ${ALERT} FROM alert.alert
WHERE (account_id, rule, subject) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))`,
};

/** Arrays, one entry an alert: $1 accounts … $11 recover times; times in ms. */
export const storeAlerts: Statement = {
  name: 'alert_store',
  text: `INSERT INTO alert.alert (account_id, rule, subject, occurrence, state, sentence, next, fire_time, seen_time, notice_time,
  recover_time)
SELECT account_id, rule, subject, occurrence, state, sentence, next, to_timestamp(fire_ms / 1000), to_timestamp(seen_ms / 1000),
  to_timestamp(notice_ms / 1000), to_timestamp(recover_ms / 1000)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::double precision[],
  $9::double precision[], $10::double precision[], $11::double precision[])
  AS u(account_id, rule, subject, occurrence, state, sentence, next, fire_ms, seen_ms, notice_ms, recover_ms)
ON CONFLICT (account_id, rule, subject) DO UPDATE SET occurrence = excluded.occurrence, state = excluded.state,
  sentence = excluded.sentence, next = excluded.next, fire_time = excluded.fire_time, seen_time = excluded.seen_time,
  notice_time = excluded.notice_time, recover_time = excluded.recover_time`,
};

/** $1 account, $2 only firing ones, $3 how many. The platform's own alerts are everybody's. */
export const listAlerts: Statement = {
  name: 'alert_list',
  text: `SELECT ${ALERT} FROM alert.alert
WHERE account_id IN ($1, '') AND (state = 'FIRING' OR NOT $2::boolean)
ORDER BY (state = 'FIRING') DESC, coalesce(recover_time, fire_time) DESC, rule, subject LIMIT $3::integer`,
};

/** $1 time in ms. */
export const forgetRecovered: Statement = {
  name: 'alert_forget',
  text: `DELETE FROM alert.alert WHERE state = 'RECOVERED' AND recover_time < to_timestamp($1::double precision / 1000)`,
};
