import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type DataDirectory, dataDirectoryAt, lockDataDirectory } from '../../deploy/local/data-directory.ts';
import { natsBinary } from '../../deploy/local/nats-binary.ts';
import { NatsServer } from '../../deploy/local/nats-server.ts';
import { freePort } from './port.ts';
import { Postgres } from '../../deploy/local/postgres.ts';
import { POSTGRES_LEFTOVER_STEPS } from '../../deploy/local/postgres-cluster.ts';
import type { PostgresSettings } from '../../deploy/local/postgres-settings.ts';
import { removeOutsideStore } from '../../deploy/local/postgres-store.ts';
import { endLeftovers, hasCode, livingPid } from '../../deploy/local/process-record.ts';
import { type Running, Stack } from '../../services/platform/lifecycle.ts';
import { migrateAll } from './migrations.ts';

/** Servers that a test run shares, as plain data that travels to every worker. */
export interface TestServers {
  /** Folder of the run; everything that it writes is below. */
  readonly directory: string;
  /** Connects to the database "postgres" of the shared server as its superuser. */
  readonly adminUrl: string;
  /** Migrated and empty; `createDatabase` clones it. */
  readonly templateDatabase: string;
  readonly natsUrl: string;
  /** For tests that stop and start a NATS of their own. */
  readonly natsBinary: string;
}

const DIRECTORY_PREFIX = 'strategos-test-';
const TEMPLATE_DATABASE = 'strategos_template';
/** Four workers, each with a whole platform or two whose services hold a pool. */
const CONNECTIONS_MAX = 600;
const KILL_STEPS = [{ signal: 'SIGKILL', waitMs: 5_000 }] as const;

/**
 * Starts one PostgreSQL with a migrated template database, and one NATS, on free ports in a folder of their own. Files make and
 * drop a database for every stack, and what they store need not outlive the machine, which no test takes down.
 */
export async function startServers(
  settings: PostgresSettings = {},
): Promise<{ readonly servers: TestServers; readonly running: Running }> {
  await sweepAbandonedRuns();
  const stack = new Stack();
  try {
    const directory = await mkdtemp(join(tmpdir(), DIRECTORY_PREFIX));
    stack.use(directory, (path) => removeRun(path));
    // Postgres may run as another user, which has to get in.
    await chmod(directory, 0o755);
    const data = dataDirectoryAt(directory);
    stack.use(await lockDataDirectory(data), (unlock) => unlock());
    const program = await natsBinary(directory);
    const nats = stack.add(await NatsServer.start({ data, port: await freePort(), binary: program }));
    const postgres = stack.add(await startTestPostgres(data, { settings: { outlivesMachine: false, ...settings } }));
    await postgres.ensureDatabase(TEMPLATE_DATABASE);
    await migrateAll(postgres.url(TEMPLATE_DATABASE));
    const servers: TestServers = {
      directory,
      adminUrl: postgres.url('postgres'),
      templateDatabase: TEMPLATE_DATABASE,
      natsUrl: nats.url,
      natsBinary: program,
    };
    return { servers, running: stack };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}

/** A PostgreSQL with settings for a test run: many short connections, little memory. */
export async function startTestPostgres(
  data: DataDirectory,
  { port, settings }: { readonly port?: number; readonly settings?: PostgresSettings } = {},
): Promise<Postgres> {
  const chosen = { sharedBuffersMb: 128, connectionsMax: CONNECTIONS_MAX, ...settings };
  return Postgres.start({ data, port: port ?? (await freePort()), settings: chosen });
}

/**
 * Ends every process that tests have noted below the run's folder and not disposed of, and names them, also those that have
 * ended with their test's worker in the meantime: a test that leaves a process behind is a defect.
 */
export async function endLeakedProcesses(directory: string): Promise<readonly string[]> {
  const leaked: string[] = [];
  for (const stack of await stackDirectories(directory)) {
    const { records } = dataDirectoryAt(stack);
    leaked.push(...(await namesIn(records)).map((name) => `${stack}: ${basename(name, '.json')}`));
    await endLeftovers(records, (name) => (name === 'postgres' ? POSTGRES_LEFTOVER_STEPS : KILL_STEPS));
    await removeOutsideStore(stack);
  }
  return leaked;
}

/** A run of this user that was killed leaves its servers behind; the next one ends them. */
async function sweepAbandonedRuns(): Promise<void> {
  for (const name of await namesIn(tmpdir())) {
    if (!name.startsWith(DIRECTORY_PREFIX)) continue;
    const directory = join(tmpdir(), name);
    if ((await ownerOf(directory)) !== process.getuid?.()) continue;
    const data = dataDirectoryAt(directory);
    const locked = (await namesIn(data.records)).includes('up.json');
    if (!locked || (await livingPid(data.record('up'))) !== undefined) continue;
    await endLeakedProcesses(directory);
    await endLeftovers(data.records, (service) => (service === 'postgres' ? POSTGRES_LEFTOVER_STEPS : KILL_STEPS));
    await removeRun(directory);
  }
}

async function removeRun(directory: string): Promise<void> {
  await removeOutsideStore(directory);
  await rm(directory, { recursive: true, force: true });
}

async function stackDirectories(directory: string): Promise<readonly string[]> {
  const stacks = join(directory, 'stacks');
  return (await namesIn(stacks)).map((name) => join(stacks, name));
}

/** Undefined when another run has just removed it. */
async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).uid;
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}
