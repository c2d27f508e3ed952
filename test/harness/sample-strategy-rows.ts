import type { Client } from 'pg';

const ACCOUNTS = 50;
const STRATEGIES = 10_000;
const REVISIONS_EACH = 5;
/** Id of strategy `n`. */
const ID = `('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid`;

/** Names of the rows below, so that a test can use them. Accounts have their own: those of commands stay as they are. */
export const sampleStrategyRow = {
  accountId: (account: number): string => `trader-${account % ACCOUNTS}`,
  strategyId: (strategy: number): string => `00000000-0000-7000-9000-${String(strategy).padStart(12, '0')}`,
  name: (strategy: number): string => `strategy-${strategy}`,
} as const;

/** Fills a migrated database with accounts of strategies of a few revisions each, one in ten deleted; analysed. */
export async function insertSampleStrategies(client: Client): Promise<void> {
  const perAccount = STRATEGIES / ACCOUNTS;
  await client.query(`INSERT INTO strategy.account (id, revision, change_time)
    SELECT 'trader-' || a, ${perAccount * REVISIONS_EACH}, now() - a * interval '1 hour' FROM generate_series(0, ${ACCOUNTS - 1}) a`);
  await client.query(`INSERT INTO strategy.strategy (id, account_id, name, revision, create_revision, delete_time, request_id, request_digest)
    SELECT ${ID}, 'trader-' || n % ${ACCOUNTS}, 'strategy-' || n, ${perAccount * (REVISIONS_EACH - 1)} + n / ${ACCOUNTS} + 1,
      n / ${ACCOUNTS} + 1, CASE WHEN n / ${ACCOUNTS} % 10 = 9 THEN now() END, 'request-' || n, sha256('r')
    FROM generate_series(0, ${STRATEGIES - 1}) n`);
  await client.query(`INSERT INTO strategy.revision (account_id, number, strategy_id, type, definition, author, digest)
    SELECT 'trader-' || n % ${ACCOUNTS}, ${perAccount} * e + n / ${ACCOUNTS} + 1, ${ID},
      CASE WHEN e = 0 THEN 'CREATED' ELSE 'UPDATED' END, json_build_object('strategy_name', 'strategy-' || n), 'anna', sha256('d')
    FROM generate_series(0, ${STRATEGIES - 1}) n, generate_series(0, ${REVISIONS_EACH - 1}) e`);
  await client.query('ANALYZE strategy.account, strategy.strategy, strategy.revision, strategy.outbox');
}
