import type { Client } from 'pg';

const SYMBOLS = 40;
const EVENTS_OF_SYMBOL = 2_000;
const SOURCES = 2_000;

/** Ids of the rows below, so that a test can name them. */
export const sampleMarket = {
  accountId: 'account-0',
  symbol: (symbol: number): string => `S${symbol % SYMBOLS}`,
  sourceId: (source: number): string => `00000000-0000-7000-8000-${String(source).padStart(12, '0')}`,
  newestSequence: EVENTS_OF_SYMBOL,
} as const;

/** Fills a migrated database with sources, most of them ended, and the kept events and candles of symbols. */
export async function insertSampleMarkets(client: Client): Promise<void> {
  await client.query(`INSERT INTO market.symbol SELECT 'account-0', 'S' || s, ${EVENTS_OF_SYMBOL}
    FROM generate_series(0, ${SYMBOLS - 1}) s`);
  await client.query(`INSERT INTO market.source (id, account_id, symbol, kind, state, position, stats, owner_replica, lease_epoch,
      lease_expire_time)
    SELECT ('00000000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, 'account-' || s / ${SYMBOLS} % 10, 'S' || s % ${SYMBOLS},
      '{}', CASE WHEN s < ${SYMBOLS} THEN 'RUNNING' ELSE 'STOPPED' END, '{}', '{}', 'market-0', 1, now() + interval '5 s'
    FROM generate_series(0, ${SOURCES - 1}) s`);
  await client.query(`INSERT INTO market.event (account_id, symbol, sequence, source_id, time_ms, close, volume, side)
    SELECT 'account-0', 'S' || s, n, ('00000000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, n * 1000, '1', '1', 'buy'
    FROM generate_series(0, ${SYMBOLS - 1}) s, generate_series(1, ${EVENTS_OF_SYMBOL}) n`);
  await client.query(`INSERT INTO market.candle
    SELECT 'account-0', 'S' || s, n, ('00000000-0000-7000-8000-' || lpad(s::text, 12, '0'))::uuid, n * 1000, 1, 1, 1, 1, 1
    FROM generate_series(0, ${SYMBOLS - 1}) s, generate_series(1, ${EVENTS_OF_SYMBOL}, 10) n`);
  await client.query('VACUUM ANALYZE market.symbol, market.source, market.event, market.candle');
}
