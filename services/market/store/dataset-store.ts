import type { Pool } from 'pg';
import type { Dataset, DatasetBook } from '../domain/market-store.ts';
import type { SeriesStats } from '../domain/series-stats.ts';
import { addDataset, readDatasetContent, readDatasets } from './dataset-statements.ts';
import { rowTypes } from './row-types.ts';

interface DatasetRow {
  readonly name: string;
  readonly content_digest: string;
  readonly form: 'candles' | 'trades';
  readonly row_count: number;
  readonly interval_ms: number | null;
  readonly first_time_ms: number;
  readonly last_time_ms: number;
  readonly last_price: string;
  readonly stats: SeriesStats;
}

/** Datasets in Postgres. */
export function datasetBook(pool: Pool): DatasetBook {
  const read = async (accountId: string, name: string | null): Promise<Dataset[]> => {
    const { rows } = await pool.query<DatasetRow>({ ...readDatasets, values: [accountId, name], types: rowTypes });
    return rows.map(datasetOf);
  };
  const find = async (accountId: string, name: string): Promise<Dataset | undefined> =>
    (await read(accountId, name))[0];
  return {
    async add(accountId, dataset, content) {
      const { name, contentDigest, form, rows, intervalMs, firstTimeMs, lastTimeMs, lastPrice, stats } = dataset;
      await pool.query({
        ...addDataset,
        values: [
          accountId,
          name,
          contentDigest,
          form,
          rows,
          intervalMs ?? null,
          firstTimeMs,
          lastTimeMs,
          lastPrice,
          JSON.stringify(stats),
          Buffer.from(content),
        ],
      });
      const stored = await find(accountId, name);
      if (stored === undefined) throw new Error(`dataset "${name}" is gone although it was just stored`);
      return stored;
    },
    list: (accountId) => read(accountId, null),
    find,
    async content(accountId, name) {
      const { rows } = await pool.query<{ content: Buffer }>({ ...readDatasetContent, values: [accountId, name] });
      return rows[0]?.content;
    },
  };
}

function datasetOf(row: DatasetRow): Dataset {
  return {
    name: row.name,
    form: row.form,
    rows: row.row_count,
    intervalMs: row.interval_ms ?? undefined,
    firstTimeMs: row.first_time_ms,
    lastTimeMs: row.last_time_ms,
    lastPrice: row.last_price,
    stats: row.stats,
    contentDigest: row.content_digest,
  };
}
