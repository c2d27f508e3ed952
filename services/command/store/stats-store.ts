import type { Pool } from 'pg';
import type { CommandStats, CommandTimings, Latency } from '../domain/command-reader.ts';
import type { CommandRow } from './command-row.ts';
import { run } from './command-store.ts';
import { countStatesAndKinds, readExecutorTimings, readTimings } from './stats-statements.ts';

/** Counts and times the commands created since `sinceMs`. */
export async function readStats(
  pool: Pool,
  accountId: string,
  query: { readonly executorId?: string | undefined; readonly sinceMs: number; readonly executorsMax: number },
): Promise<CommandStats> {
  const values = [accountId, query.executorId ?? null, query.sinceMs];
  const [counts, [total], executors] = await Promise.all([
    run(pool, countStatesAndKinds, values),
    run(pool, readTimings, values),
    run(pool, readExecutorTimings, [...values, query.executorsMax]),
  ]);
  if (total === undefined) throw new Error('an aggregate gave no row');
  return {
    ...timingsOf(total),
    states: countsOf(counts, 'state'),
    kinds: countsOf(counts, 'kind'),
    executors: executors.map((row) => ({ ...timingsOf(row), executorId: row['executor_id'] as string })),
  };
}

function countsOf(rows: readonly CommandRow[], column: 'state' | 'kind'): ReadonlyMap<string, number> {
  return new Map(
    rows.filter((row) => row[column] !== null).map((row) => [row[column] as string, row['count'] as number]),
  );
}

function timingsOf(row: CommandRow): CommandTimings {
  const tried = row['tried'] as number;
  return {
    count: row['count'] as number,
    successRate: tried === 0 ? 1 : (row['succeeded'] as number) / tried,
    acceptedToReceived: latencyOf(row['received'] as number, row['received_ms']),
    acceptedToFinished: latencyOf(row['finished'] as number, row['finished_ms']),
  };
}

function latencyOf(count: number, percentiles: unknown): Latency | null {
  if (count === 0 || !Array.isArray(percentiles)) return null;
  const [p50Ms, p95Ms, p99Ms] = percentiles.map(Number);
  if (p50Ms === undefined || p95Ms === undefined || p99Ms === undefined) return null;
  return { count, p50Ms, p95Ms, p99Ms };
}
