import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { messageOf } from '../../platform/errors.ts';
import { stateOf } from '../../platform/postgres/failure.ts';
import { migrationState } from '../../platform/postgres/migration-state.ts';
import { type Check, skipped, sound, unsound } from '../domain/check.ts';

const SERVICES = fileURLToPath(new URL('../../', import.meta.url));
const CONNECT_MS_MAX = 3_000;
const STATEMENT_MS_MAX = 3_000;
/** Deadlines are kept by the clocks of services: what differs from the database's by more shows in histories. */
const CLOCK_OFFSET_MS_MAX = 1_000;
const LATENCY_MS_MAX = 100;
const TOO_MANY_CONNECTIONS = '53300';

/** Whether Postgres is there, takes writes, has this release's schemas of `services`, and agrees about the time. */
export async function postgresChecks(databaseUrl: string, services: readonly string[]): Promise<Check[]> {
  const startMs = performance.now();
  const tookMs = (): number => performance.now() - startMs;
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'strategos doctor',
    connectionTimeoutMillis: CONNECT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const askedMs = performance.now();
    const sentMs = Date.now();
    const { rows } = await client.query<{ now_ms: number }>(
      'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now_ms',
    );
    const latencyMs = performance.now() - askedMs;
    const offsetMs = Number(rows[0]?.now_ms) - (sentMs + latencyMs / 2);
    return [
      reachable(latencyMs, tookMs()),
      await writable(client),
      await migrations(client, services),
      clock(Math.round(offsetMs), tookMs()),
    ];
  } catch (thrown) {
    const isFull = stateOf(thrown) === TOO_MANY_CONNECTIONS;
    const words = isFull ? fullWords(messageOf(thrown)) : awayWords(messageOf(thrown));
    const because = isFull ? 'PostgreSQL has no connection left' : 'PostgreSQL does not answer';
    return [
      unsound('postgres.reachable', 'fault', words, tookMs()),
      skipped('postgres.writable', because),
      skipped('postgres.migrations', because),
      skipped('postgres.clock', because),
    ];
  } finally {
    // A server that is gone cannot be said goodbye to.
    await client.end().catch(() => undefined);
  }
}

function awayWords(reason: string) {
  return {
    found: `PostgreSQL does not answer: ${reason}`,
    meaning: 'nothing new is accepted, and nothing that agents report is acknowledged; agents keep what they have',
    remedy: 'start the database, or correct DATABASE_URL; services reconnect by themselves',
  };
}

function fullWords(reason: string) {
  return {
    found: `PostgreSQL has no connection left: ${reason}`,
    meaning: 'services go on with the connections that they have, and get no others; one that restarts gets none',
    remedy:
      'look who holds them (SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1), or raise max_connections',
  };
}

function reachable(latencyMs: number, tookMs: number): Check {
  const found = `PostgreSQL answers in ${latencyMs.toFixed(1)} ms`;
  if (latencyMs <= LATENCY_MS_MAX) return sound('postgres.reachable', found, tookMs);
  const words = {
    found,
    meaning: 'every command is written several times, so each takes that much longer',
    remedy: 'look at the load of the database and at the network between',
  };
  return unsound('postgres.reachable', 'warning', words, tookMs);
}

async function writable(client: Client): Promise<Check> {
  const startMs = performance.now();
  const { rows } = await client.query<{ read_only: string; standby: boolean }>(
    "SELECT current_setting('transaction_read_only') AS read_only, pg_is_in_recovery() AS standby",
  );
  const tookMs = performance.now() - startMs;
  const [row] = rows;
  if (row?.read_only === 'off') return sound('postgres.writable', 'PostgreSQL takes writes', tookMs);
  const words = {
    found: row?.standby === true ? 'PostgreSQL takes no writes: it is a standby' : 'PostgreSQL takes no writes',
    meaning: 'what is stored can be read; nothing new is accepted, and nothing that agents report is acknowledged',
    remedy:
      'after a failover, let DATABASE_URL name the primary; where it was made read-only, find out why, mostly a full disk; services go on by themselves',
  };
  return unsound('postgres.writable', 'fault', words, tookMs);
}

async function migrations(client: Client, services: readonly string[]): Promise<Check> {
  const startMs = performance.now();
  const faults: string[] = [];
  const schemas = services
    .map((schema) => ({ schema, directory: `${SERVICES}${schema}/migrations` }))
    .filter(({ directory }) => existsSync(directory));
  for (const { schema, directory } of schemas) {
    const { missing, unknown } = await migrationState(client, schema, directory);
    if (missing.length > 0) faults.push(`schema "${schema}" lacks ${missing.join(', ')}`);
    if (unknown.length > 0) faults.push(`schema "${schema}" has ${unknown.join(', ')} of a newer release`);
  }
  const tookMs = performance.now() - startMs;
  if (faults.length === 0) {
    return sound('postgres.migrations', `all ${schemas.length} schemas are as this release wants them`, tookMs);
  }
  const words = {
    found: faults.join('; '),
    meaning: 'statements of the services that own these schemas fail or write what others cannot read',
    remedy: 'restart the service of each schema named: it migrates when it starts; for a newer release, start that one',
  };
  return unsound('postgres.migrations', 'fault', words, tookMs);
}

function clock(offsetMs: number, tookMs: number): Check {
  const found = `the database's clock differs from the gateway's by ${offsetMs} ms`;
  if (Math.abs(offsetMs) <= CLOCK_OFFSET_MS_MAX) return sound('postgres.clock', found, tookMs);
  const words = {
    found,
    meaning: 'times in histories do not fit together, and deadlines may be judged early or late',
    remedy: 'keep both clocks by NTP (chronyc tracking, timedatectl)',
  };
  return unsound('postgres.clock', 'warning', words, tookMs);
}
