import type { Statement } from './row-types.ts';

const DATASET = 'name, content_digest, form, row_count, interval_ms, first_time_ms, last_time_ms, last_price, stats';

/** $1 account, $2 name, $3 digest, $4 form, $5 rows, $6 interval, $7 first, $8 last, $9 last price, $10 stats, $11 content. */
export const addDataset: Statement = {
  name: 'market_add_dataset',
  text: `INSERT INTO market.dataset (account_id, name, content_digest, form, row_count, interval_ms, first_time_ms,
  last_time_ms, last_price, stats, content)
VALUES ($1, $2, $3, $4, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9, $10::jsonb, $11::bytea)
ON CONFLICT (account_id, name) DO NOTHING`,
};

/** $1 account, $2 name or NULL for all. */
export const readDatasets: Statement = {
  name: 'market_read_datasets',
  text: `SELECT ${DATASET} FROM market.dataset
WHERE account_id = $1 AND ($2::text IS NULL OR name = $2::text) ORDER BY name LIMIT 10000`,
};

/** $1 account, $2 name. */
export const readDatasetContent: Statement = {
  name: 'market_read_dataset_content',
  text: 'SELECT content FROM market.dataset WHERE account_id = $1 AND name = $2',
};
