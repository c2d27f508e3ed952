import type { Statement } from './statement.ts';

/** Arrays, one entry a notice: $1 ids, $2 channels, $3 accounts, $4 rules, $5 subjects, $6 occurrences, $7 kinds, $8 sentences,
 * $9 next, $10 fire times in ms; $11 now in ms. */
export const writeNotices: Statement = {
  name: 'alert_write_notices',
  text: `INSERT INTO alert.notice (id, channel, account_id, rule, subject, occurrence, kind, sentence, next, fire_time, create_time,
  due_time)
SELECT id, channel, account_id, rule, subject, occurrence, kind, sentence, next, to_timestamp(fire_ms / 1000),
  to_timestamp($11::double precision / 1000), to_timestamp($11::double precision / 1000)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
  $10::double precision[])
  AS u(id, channel, account_id, rule, subject, occurrence, kind, sentence, next, fire_ms)`,
};

/** $1 now in ms, $2 how many. */
export const readDueNotices: Statement = {
  name: 'alert_due_notices',
  text: `SELECT id, channel, account_id AS "accountId", rule, subject, occurrence, kind, sentence, next, fire_time AS "fireMs",
  create_time AS "createMs", attempt
FROM alert.notice WHERE due_time <= to_timestamp($1::double precision / 1000) ORDER BY due_time, id LIMIT $2::integer`,
};

/** $1 notice. */
export const removeNotice: Statement = {
  name: 'alert_remove_notice',
  text: 'DELETE FROM alert.notice WHERE id = $1::uuid',
};

/** $1 notice, $2 time in ms. */
export const postponeNotice: Statement = {
  name: 'alert_postpone_notice',
  text: `UPDATE alert.notice SET attempt = attempt + 1, due_time = to_timestamp($2::double precision / 1000)
WHERE id = $1::uuid`,
};
