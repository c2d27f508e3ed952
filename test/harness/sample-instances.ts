import type { Client } from 'pg';

const ACCOUNTS = 10;
const INSTANCES = 5_000;
/** The first ones live; the others have ended. */
const LIVE = 100;
const EACH = 10;

/** Names of the rows below, so that a test can use them. */
export const sampleInstance = {
  accountId: 'fund-0',
  ownerId: '00000000-0000-7000-d000-000000000000',
  /** Of account `fund-0` when the number is a multiple of ten. */
  id: (instance: number): string => `instance-${instance}`,
  sessionId: (instance: number): string => `session-${instance}`,
  newestEvaluation: (INSTANCES / ACCOUNTS) * EACH,
} as const;

/** Fills a migrated database with instances, few of them live, and what they decided and were told; analysed. */
export async function insertSampleInstances(client: Client): Promise<void> {
  const all = `generate_series(0, ${INSTANCES - 1}) n`;
  const each = `${all}, generate_series(0, ${EACH - 1}) e`;
  const account = `'fund-' || n % ${ACCOUNTS}`;
  await client.query(`INSERT INTO evaluator.account (id, evaluation_number)
    SELECT 'fund-' || a, ${sampleInstance.newestEvaluation} FROM generate_series(0, ${ACCOUNTS - 1}) a`);
  await client.query(`INSERT INTO evaluator.replica VALUES
    ('${sampleInstance.ownerId}', 'evaluator-0', '', now() + interval '1 hour')`);
  await client.query(`INSERT INTO evaluator.instance (id, account_id, session_id, strategy_id, symbol, pin_policy, status,
      wanted_revision, running_revision, owner_id, data, control_time)
    SELECT 'instance-' || n, ${account}, 'session-' || n, 'strategy-' || n % 50, 'S', 'PINNED',
      CASE WHEN n < ${LIVE} THEN 'ACTIVE' ELSE 'INACTIVE' END, n, n, CASE WHEN n < ${LIVE} THEN '${sampleInstance.ownerId}'::uuid END,
      '{}', now() - n * interval '1 minute' FROM ${all}`);
  await client.query(`INSERT INTO evaluator.evaluation (account_id, number, instance_id, session_id, body)
    SELECT ${account}, n / ${ACCOUNTS} * ${EACH} + e + 1, 'instance-' || n, 'session-' || n, '{}' FROM ${each}`);
  await client.query(`INSERT INTO evaluator.outcome (account_id, id, instance_id, body, applied, create_time)
    SELECT ${account}, 'outcome-' || n || '-' || e, 'instance-' || n, '{}', n >= ${LIVE} OR e > 0, now() - n * interval '1 minute'
    FROM ${each}`);
  await client.query(`INSERT INTO evaluator.intent (id, account_id, instance_id, payload)
    SELECT 'intent-' || n || '-' || e, ${account}, 'instance-' || n, '' FROM ${each}`);
  await client.query(`INSERT INTO evaluator.definition (account_id, strategy_id, revision, payload, create_time)
    SELECT ${account}, 'strategy-' || n % 50, n, '', now() - n * interval '10 minutes' FROM ${all}`);
  const tables = ['account', 'replica', 'instance', 'evaluation', 'outcome', 'intent', 'definition'];
  await client.query(`VACUUM ANALYZE ${tables.map((table) => `evaluator.${table}`).join(', ')}`);
}
