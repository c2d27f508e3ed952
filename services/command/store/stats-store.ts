import type { Pool } from 'pg';
import { StatusError } from '../../platform/errors.ts';
import type { CommandStats, CommandTimings, Latency, StatsQuery } from '../domain/command-reader.ts';
import { run } from './command-store.ts';
import { countStatesAndKinds, readBucketTimings, readExecutorTimings, readTimings } from './stats-statements.ts';

interface CountRow {
  /** One of the two is NULL. */
  readonly state: string | null;
  readonly kind: string | null;
  readonly count: number;
}

interface TimingsRow {
  readonly count: number;
  readonly succeeded: number;
  readonly tried: number;
  readonly received: number;
  readonly received_ms: readonly (number | null)[] | null;
  readonly finished: number;
  readonly finished_ms: readonly (number | null)[] | null;
}

interface BucketRow extends TimingsRow {
  readonly bucket: number;
}

/** Counts and times the commands created since `sinceMs`. */
export async function readStats(pool: Pool, accountId: string, query: StatsQuery): Promise<CommandStats> {
  const values = [accountId, query.executorId ?? null, query.sinceMs];
  const [counts, [total], executors, buckets] = await Promise.all([
    run<CountRow>(pool, countStatesAndKinds, values),
    run<TimingsRow>(pool, readTimings, values),
    run<TimingsRow & { readonly executor_id: string }>(pool, readExecutorTimings, [...values, query.executorsMax]),
    query.bucketCount === 0
      ? []
      : run<BucketRow>(pool, readBucketTimings, [...values, query.untilMs, query.bucketCount]),
  ]).catch((thrown: unknown) => {
    throw isStatementTimeout(thrown) ? windowTooLarge(thrown) : thrown;
  });
  if (total === undefined) throw new Error('an aggregate gave no row');
  return {
    ...timingsOf(total),
    states: countsOf(counts, 'state'),
    kinds: countsOf(counts, 'kind'),
    executors: executors.map((row) => ({ ...timingsOf(row), executorId: row.executor_id })),
    buckets: buckets.map((row) => ({ ...timingsOf(row), index: row.bucket, tried: row.tried })),
  };
}

/** query_canceled: the pool's limit for one statement. */
function isStatementTimeout(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === '57014';
}

function windowTooLarge(cause: unknown): StatusError {
  return new StatusError(
    'DeadlineExceeded',
    'DEADLINE_EXCEEDED',
    'the window holds more commands than can be counted in time; ask for a shorter window or for one executor',
    { cause },
  );
}

function countsOf(rows: readonly CountRow[], column: 'state' | 'kind'): ReadonlyMap<string, number> {
  return new Map(
    rows.flatMap((row) => {
      const name = row[column];
      return name === null ? [] : [[name, row.count] as const];
    }),
  );
}

function timingsOf(row: TimingsRow): CommandTimings {
  return {
    count: row.count,
    successRate: row.tried === 0 ? 1 : row.succeeded / row.tried,
    acceptedToReceived: latencyOf(row.received, row.received_ms),
    acceptedToFinished: latencyOf(row.finished, row.finished_ms),
  };
}

function latencyOf(count: number, percentiles: readonly (number | null)[] | null): Latency | null {
  const [p50Ms, p95Ms, p99Ms] = percentiles ?? [];
  if (typeof p50Ms !== 'number' || typeof p95Ms !== 'number' || typeof p99Ms !== 'number') return null;
  return { count, p50Ms, p95Ms, p99Ms };
}
