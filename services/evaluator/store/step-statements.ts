import type { Statement } from './statement.ts';

/**
 * $1 account, $2 owner, $3 instances, $4 evaluations, $5 intents, $6 applied outcomes, each as json. One transaction: an
 * instance's row, what it decided, what it asks for and which outcomes it has taken in are stored together, or, when the
 * owner's epoch is not the newest any more, not at all. Gives the instances that were stored.
 */
export const writeSteps: Statement = {
  name: 'write_steps',
  text: `WITH counter AS MATERIALIZED (
  -- Whoever comes later sees our numbers, and numbers below ours are already visible.
  SELECT evaluation_number AS base FROM evaluator.account WHERE id = $1 FOR UPDATE
), moved AS (
  UPDATE evaluator.instance i SET data = n.data, freshness = n.freshness,
    evaluated_sequence = n."evaluatedSequence", evaluated_ms = coalesce(n."evaluatedMs", '-infinity'),
    strategy_name = n."strategyName", running_revision = n."runningRevision",
    status = CASE WHEN i.status = n."fromStatus" AND i.wanted_revision = n."wantedRevision" THEN n.status ELSE i.status END,
    fault = CASE WHEN i.status = n."fromStatus" AND i.wanted_revision = n."wantedRevision" THEN n.fault ELSE i.fault END
  FROM counter, json_to_recordset($3::json) AS n(id text, epoch bigint, data json, freshness text,
    "evaluatedSequence" bigint, "evaluatedMs" double precision, "strategyName" text, "runningRevision" bigint,
    "fromStatus" text, status text, "wantedRevision" bigint, fault text)
  WHERE i.id = n.id AND i.account_id = $1 AND i.owner_id = $2::uuid AND i.lease_epoch = n.epoch
  RETURNING i.id
), taken AS MATERIALIZED (
  SELECT e.instance, e.session, e.body, row_number() OVER (ORDER BY e.place) AS place
  FROM json_to_recordset($4::json) AS e(instance text, session text, place integer, body json)
  WHERE e.instance IN (SELECT id FROM moved)
), written AS (
  INSERT INTO evaluator.evaluation (account_id, number, instance_id, session_id, body)
  SELECT $1, counter.base + taken.place, taken.instance, taken.session, taken.body FROM counter, taken
), counted AS (
  UPDATE evaluator.account SET evaluation_number = evaluation_number + (SELECT count(*) FROM taken)
  WHERE id = $1 AND EXISTS (SELECT FROM taken)
), asked AS (
  INSERT INTO evaluator.intent (id, account_id, instance_id, payload)
  SELECT t.id, $1, t.instance, decode(t.payload, 'base64')
  FROM json_to_recordset($5::json) AS t(id text, instance text, place integer, payload text)
  WHERE t.instance IN (SELECT id FROM moved) ORDER BY t.place
  ON CONFLICT DO NOTHING
), applied AS (
  UPDATE evaluator.outcome o SET applied = true
  FROM json_to_recordset($6::json) AS a(id text, instance text)
  WHERE o.account_id = $1 AND o.id = a.id AND a.instance IN (SELECT id FROM moved)
)
SELECT id FROM moved`,
};

/** $1 owner, $2 instances, $3 epochs, $4 sequences, $5 market times in ms. How far they have looked; gives those still owned. */
export const noteEvaluated: Statement = {
  name: 'note_evaluated',
  text: `UPDATE evaluator.instance i SET
  -- A step that was stored meanwhile has gone further, and must never be taken again.
  evaluated_sequence = greatest(i.evaluated_sequence, n.sequence),
  evaluated_ms = CASE WHEN n.sequence > i.evaluated_sequence THEN n.ms ELSE i.evaluated_ms END
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::double precision[]) AS n(id, epoch, sequence, ms)
WHERE i.id = n.id AND i.owner_id = $1::uuid AND i.lease_epoch = n.epoch
RETURNING i.id`,
};

/** $1 owner, $2 instance, $3 epoch, $4 why it cannot be run. */
export const failInstanceById: Statement = {
  name: 'fail_instance',
  text: `UPDATE evaluator.instance SET status = 'FAILED', fault = $4, owner_id = NULL
WHERE id = $2 AND owner_id = $1::uuid AND lease_epoch = $3::bigint AND status IN ('PENDING', 'ACTIVE', 'CLOSING')`,
};

/** $1 account, $2 outcomes as json, in order. Keeps each once; the lock makes their order that of commits. */
export const storeOutcomes: Statement = {
  name: 'store_outcomes',
  text: `WITH locked AS MATERIALIZED (SELECT id FROM evaluator.account WHERE id = $1 FOR UPDATE)
INSERT INTO evaluator.outcome (account_id, id, instance_id, body)
SELECT locked.id, n.id, n.instance, n.body
FROM locked, json_to_recordset($2::json) AS n(id text, instance text, place integer, body json)
ORDER BY n.place ON CONFLICT DO NOTHING`,
};

/** $1 owner, $2 account or NULL for all. Outcomes that the owner's instances have not taken in yet, in order. */
export const readOpenOutcomes: Statement = {
  name: 'read_open_outcomes',
  text: `SELECT o.id, o.account_id, o.instance_id, o.body FROM evaluator.outcome o
JOIN evaluator.instance i ON i.id = o.instance_id AND i.account_id = o.account_id
WHERE NOT o.applied AND i.owner_id = $1::uuid AND ($2::text IS NULL OR o.account_id = $2) ORDER BY o.place LIMIT 5000`,
};

/** $1 account or NULL for all, $2 how old in ms at least, $3 how many. Intents that wait to be acknowledged, in order. */
export const readIntents: Statement = {
  name: 'read_intents',
  text: `SELECT id, account_id, payload FROM evaluator.intent
WHERE ($1::text IS NULL OR account_id = $1) AND create_time <= clock_timestamp() - $2::integer * interval '1 ms'
ORDER BY place LIMIT $3::integer`,
};

/** $1 intents that their session has. */
export const acknowledgeIntents: Statement = {
  name: 'acknowledge_intents',
  text: 'DELETE FROM evaluator.intent WHERE id = ANY($1::text[])',
};
