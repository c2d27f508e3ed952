import { join } from 'node:path';
import { Client } from 'pg';
import type { Running } from '../../services/platform/lifecycle.ts';
import { type DataDirectory, keptSecret } from './data-directory.ts';
import { LogFile } from './log-file.ts';
import { type Exit, OwnedProcess } from './owned-process.ts';
import { LOOPBACK, portIsFree } from './port.ts';
import { type PostgresAccount, postgresAccount } from './postgres-account.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import {
  endPostmasterOf,
  initialiseCluster,
  POSTGRES_LEFTOVER_STEPS,
  SUPERUSER,
  serverEnvironment,
} from './postgres-cluster.ts';
import { type PostgresSettings, settingFlags } from './postgres-settings.ts';
import { postgresStore } from './postgres-store.ts';
import { endRecorded, livingPid, readIfThere } from './process-record.ts';

/** Recovery after a crash replays at most max_wal_size, which takes seconds. */
const READY_MS_MAX = 60_000;
const READY_POLL_MS = 15;
/** Backends of a postmaster that was killed notice within moments; until then its shared memory is in use. */
const ORPHANS_MS_MAX = 15_000;
const ORPHANS_POLL_MS = 250;
/** Smart, fast, immediate: without clients the first is at once, and the last loses nothing that was committed. */
const STOP_STEPS = [
  { signal: 'SIGTERM', waitMs: 1_500 },
  { signal: 'SIGINT', waitMs: 20_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
] as const;

export interface PostgresOptions {
  readonly data: DataDirectory;
  readonly port: number;
  readonly settings?: PostgresSettings;
}

/**
 * A real PostgreSQL for one data folder, listening on the loopback interface with a random password. Data outlives it;
 * after a crash of an earlier run it ends what that run has left over and recovers.
 */
export class Postgres implements Running {
  readonly port: number;
  readonly #process: OwnedProcess;
  readonly #password: string;
  #stopping: Promise<void> | undefined;

  private constructor(running: OwnedProcess, port: number, password: string) {
    this.#process = running;
    this.port = port;
    this.#password = password;
  }

  /**
   * Starts the server, on first use with a new cluster, and resolves when it takes connections.
   * @throws Error in one sentence: port taken, no programs for this machine, data of another version.
   */
  static async start({ data, port, settings = {} }: PostgresOptions): Promise<Postgres> {
    const record = data.record('postgres');
    await endRecorded(record, POSTGRES_LEFTOVER_STEPS);
    const account = await postgresAccount();
    const store = await postgresStore(data.root, account, endPostmasterOf);
    const binaries = await postgresBinaries(account, store.programs);
    const cluster = join(store.directory, 'cluster');
    const password = await keptSecret(data, 'postgres.password');
    if ((await readIfThere(join(cluster, 'PG_VERSION'))) === undefined) {
      await initialiseCluster(binaries, cluster, account, password);
    }
    await endPostmasterOf(store.directory);
    if (!(await portIsFree(port))) throw portTaken(port);

    const log = await LogFile.begin(data.log('postgres'));
    try {
      const running = await launch({ binaries, account, log, cluster, port, recordFile: record, settings });
      return new Postgres(running, port, password);
    } catch (thrown) {
      log.close();
      throw thrown;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the server process has ended, wanted or not. */
  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  /** Connection string for one of its databases; holds the password. */
  url(database: string): string {
    return `postgres://${SUPERUSER}:${this.#password}@${LOOPBACK}:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Makes the database when it does not exist. */
  async ensureDatabase(name: string): Promise<void> {
    const client = new Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (found.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    } finally {
      await client.end();
    }
  }

  /** Sends a signal to the server process, such as SIGKILL or SIGSTOP in a fault test. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#process.end(STOP_STEPS);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Connection string of the database server that another process runs on the data folder, if one does. */
export async function runningPostgresUrl(data: DataDirectory, database: string): Promise<string | undefined> {
  const pid = await livingPid(data.record('postgres'));
  if (pid === undefined) return undefined;
  const password = (await readIfThere(join(data.root, 'postgres.password')))?.trim();
  const pidFile = await readIfThere(join(data.root, 'postgres', 'cluster', 'postmaster.pid'));
  const port = pidFile?.split('\n')[3]?.trim();
  if (password === undefined || port === undefined) return undefined;
  return `postgres://${SUPERUSER}:${password}@${LOOPBACK}:${port}/${encodeURIComponent(database)}`;
}

interface Launch {
  readonly binaries: PostgresBinaries;
  readonly account: PostgresAccount | undefined;
  readonly log: LogFile;
  readonly cluster: string;
  readonly port: number;
  readonly recordFile: string;
  readonly settings: PostgresSettings;
}

async function launch({ binaries, cluster, port, settings, ...rest }: Launch): Promise<OwnedProcess> {
  const orphansEndMs = performance.now() + ORPHANS_MS_MAX;
  const args = ['-D', cluster, '-p', String(port), ...settingFlags(settings)];
  for (;;) {
    const server = await OwnedProcess.spawn({ ...rest, program: binaries.postgres, args, env: serverEnvironment() });
    if (await becomesReady(server, cluster)) return server;
    const said = (await rest.log.tail(20)).join('\n');
    if (said.includes('shared memory block') && performance.now() < orphansEndMs) {
      await new Promise((resolve) => setTimeout(resolve, ORPHANS_POLL_MS));
      continue;
    }
    if (said.includes('could not bind')) throw portTaken(port);
    throw new Error(`PostgreSQL does not start; its log ${rest.log.path} ends with:\n${said}`);
  }
}

/** True when the server takes connections, false when it has ended. */
async function becomesReady(server: OwnedProcess, cluster: string): Promise<boolean> {
  const endMs = performance.now() + READY_MS_MAX;
  while (server.running) {
    // The pid file's eighth line is the postmaster's own word about its state.
    const lines = (await readIfThere(join(cluster, 'postmaster.pid')))?.split('\n') ?? [];
    if (Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready') return true;
    if (performance.now() >= endMs) await server.end(STOP_STEPS);
    else await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  return false;
}

function portTaken(port: number): Error {
  return new Error(`port ${port} for PostgreSQL is taken; stop what listens there, or move all ports with --port N`);
}
