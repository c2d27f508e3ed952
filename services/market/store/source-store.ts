import type { Pool } from 'pg';
import { validate as isUuid } from 'uuid';
import type { SourceBook } from '../domain/market-store.ts';
import { KEPT_MAX } from '../domain/published-event.ts';
import { NO_COUNTS, type Source } from '../domain/source.ts';
import { type CandleRow, type EventRow, eventArrays, placedCandleOf, publishedEventOf } from './event-row.ts';
import { advanceSource, readCandles, readEvents, readHead, trimEvents } from './event-statements.ts';
import { rowTypes, type Statement } from './row-types.ts';
import { type SourceRow, sourceOf } from './source-row.ts';
import {
  claimSources,
  findNewestSource,
  findRunningSource,
  findSource,
  listSources,
  releaseSources,
  renewSources,
  requestSourceStop,
  startSource,
  stopAbandonedSource,
} from './source-statements.ts';

/** Sources that one look takes over. */
const CLAIMS_MAX = 50;
/** How many numbers are passed over after a source whose end nobody saw: more than can have been told and not stored. */
const SKIPPED_SEQUENCES = 10_000;

/** Sources, their events and leases in Postgres. */
export function sourceBook(pool: Pool): SourceBook {
  const read = async (statement: Statement, values: unknown[]): Promise<Source[]> => {
    const { rows } = await pool.query<SourceRow>({ ...statement, values, types: rowTypes });
    return rows.map(sourceOf);
  };
  const one = async (statement: Statement, values: unknown[]): Promise<Source | undefined> =>
    (await read(statement, values))[0];
  return {
    start: ({ id, accountId, symbol, kind }, { replicaId, url, leaseMs }) =>
      one(startSource, [
        id,
        accountId,
        symbol,
        JSON.stringify(kind),
        JSON.stringify(NO_COUNTS),
        replicaId,
        url,
        leaseMs,
      ]),
    find: (accountId, idOrSymbol) =>
      isUuid(idOrSymbol)
        ? one(findSource, [accountId, idOrSymbol])
        : one(findNewestSource, [accountId, idOrSymbol.trim().toUpperCase()]),
    running: (accountId, symbol) => one(findRunningSource, [accountId, symbol]),
    newest: (accountId, symbol) => one(findNewestSource, [accountId, symbol]),
    list: (accountId, { symbol, runningOnly, sourcesMax }) =>
      read(listSources, [accountId, symbol, runningOnly, sourcesMax]),
    requestStop: (id) => one(requestSourceStop, [id]),
    async stopAbandoned(id) {
      const { rows } = await pool.query<{ stopped: number }>({
        ...stopAbandonedSource,
        values: [id, SKIPPED_SEQUENCES],
      });
      return rows[0]?.stopped === 1;
    },
    renew: (ids, { replicaId, leaseMs }) => read(renewSources, [ids, replicaId, leaseMs]),
    claim: (held, { replicaId, url, leaseMs }) => read(claimSources, [held, replicaId, url, leaseMs, CLAIMS_MAX]),
    async release(ids, { replicaId }) {
      await pool.query({ ...releaseSources, values: [ids, replicaId] });
    },
    async advance({ source, events, position, counts, state, reason }, { replicaId }) {
      const { rows } = await pool.query<{ stored: number }>({
        ...advanceSource,
        values: [
          source.id,
          source.leaseEpoch,
          replicaId,
          JSON.stringify(position),
          JSON.stringify(counts),
          state,
          reason,
          position.sequence,
          ...eventArrays(events.slice(-KEPT_MAX)),
        ],
      });
      return rows[0]?.stored === 1;
    },
    async kept(accountId, symbol) {
      const values = [accountId, symbol];
      const head = await pool.query<{ head_sequence: number }>({ ...readHead, values, types: rowTypes });
      const limited = [...values, KEPT_MAX];
      const events = await pool.query<EventRow>({ ...readEvents, values: limited, types: rowTypes });
      const candles = await pool.query<CandleRow>({ ...readCandles, values: limited, types: rowTypes });
      const placed = candles.rows.map(placedCandleOf).toReversed();
      const bySequence = new Map(placed.map((candle) => [candle.sequence, candle]));
      return {
        headSequence: head.rows[0]?.head_sequence ?? 0,
        events: events.rows.toReversed().map((row) => publishedEventOf(row, bySequence.get(row.sequence))),
        candles: placed,
      };
    },
    async trim(accountId, symbol, headSequence) {
      await pool.query({ ...trimEvents, values: [accountId, symbol, headSequence - KEPT_MAX, KEPT_MAX] });
    },
  };
}
