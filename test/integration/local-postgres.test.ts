import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DataDirectory, makeDataDirectory } from '../../deploy/local/data-directory.ts';
import { freePort } from '../harness/port.ts';
import { Postgres, runningPostgresUrl } from '../../deploy/local/postgres.ts';
import { removeOutsideStore } from '../../deploy/local/postgres-store.ts';
import { processIdentity } from '../../deploy/local/process-record.ts';
import { theServers } from '../harness/current-run.ts';

const DATABASE = 'kept';

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Starts a Postgres on the folder from a process of its own and kills that process, as a crash would. */
async function startAndDie(data: DataDirectory, port: number): Promise<void> {
  const module = fileURLToPath(new URL('../../deploy/local/postgres.ts', import.meta.url));
  const folder = fileURLToPath(new URL('../../deploy/local/data-directory.ts', import.meta.url));
  const script = `
    const { Postgres } = await import(${JSON.stringify(module)});
    const { dataDirectoryAt } = await import(${JSON.stringify(folder)});
    await Postgres.start({ data: dataDirectoryAt(${JSON.stringify(data.root)}), port: ${port} });
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

describe('the local PostgreSQL', () => {
  let data: DataDirectory;

  beforeEach(async () => {
    const stacks = join((await theServers()).directory, 'stacks');
    await mkdir(stacks, { recursive: true });
    const directory = await mkdtemp(join(stacks, 'postgres-'));
    await chmod(directory, 0o755);
    data = await makeDataDirectory(directory);
  });

  afterEach(() => removeOutsideStore(data.root));

  test('keeps its data over restarts, answers only with its password, and only on the loopback interface', async () => {
    let password: string;
    {
      await using postgres = await Postgres.start({ data, port: await freePort() });
      await postgres.ensureDatabase(DATABASE);
      await postgres.ensureDatabase(DATABASE);
      await query(postgres.url(DATABASE), 'CREATE TABLE t AS SELECT 7 AS n');
      expect(await query(postgres.url(DATABASE), 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
      expect(await query(postgres.url(DATABASE), 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
      expect(await query(postgres.url(DATABASE), 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
      const wrong = new URL(postgres.url(DATABASE));
      ({ password } = wrong);
      wrong.password = 'guessed';
      await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
      expect(await runningPostgresUrl(data, DATABASE)).toBe(postgres.url(DATABASE));
    }
    expect(await runningPostgresUrl(data, DATABASE)).toBeUndefined();
    await using again = await Postgres.start({ data, port: await freePort() });
    expect(await query(again.url(DATABASE), 'SELECT n FROM t')).toEqual([{ n: 7 }]);
    expect(new URL(again.url(DATABASE)).password).toBe(password);
  });

  test('what a killed starter has left running does not hold up the next start on the same port', async () => {
    const port = await freePort();
    await startAndDie(data, port);
    await using postgres = await Postgres.start({ data, port });
    await postgres.ensureDatabase(DATABASE);
  });

  test('a killed server leaves busy backends behind; the next start waits for them and recovers', async () => {
    const port = await freePort();
    await using first = await Postgres.start({ data, port });
    await first.ensureDatabase(DATABASE);
    await query(first.url(DATABASE), 'CREATE TABLE t AS SELECT 7 AS n');
    const busy = new Client({ connectionString: first.url(DATABASE) });
    busy.on('error', () => busy.removeAllListeners('error'));
    await busy.connect();
    const interrupted = expect(busy.query('SELECT pg_sleep(60)')).rejects.toThrow();
    first.signal('SIGKILL');
    await first.exited;
    await interrupted;
    await first.stop();
    await using second = await Postgres.start({ data, port });
    expect(await query(second.url(DATABASE), 'SELECT n FROM t')).toEqual([{ n: 7 }]);
  });

  test('a stale pid file that names a stranger harms neither the start nor the stranger', async () => {
    const port = await freePort();
    await startAndDie(data, port);
    const pidFile = join(data.root, 'postgres', 'cluster', 'postmaster.pid');
    const left = Number.parseInt(await readFile(pidFile, 'utf8'), 10);
    process.kill(left, 'SIGQUIT');
    await using stranger = await aStranger();
    await writeFile(pidFile, `${stranger.pid}\n${join(data.root, 'postgres', 'cluster')}\n0\n${port}\n\n127.0.0.1\n`);
    await using postgres = await Postgres.start({ data, port });
    await postgres.ensureDatabase(DATABASE);
    expect(await processIdentity(stranger.pid)).toBeDefined();
  });

  test('a taken port is told in one sentence', async () => {
    await using other = await Postgres.start({ data, port: await freePort() });
    const second = await makeDataDirectory(join(data.root, 'second'));
    await expect(Postgres.start({ data: second, port: other.port })).rejects.toThrow(
      `port ${other.port} for PostgreSQL is taken; stop what listens there, or move all ports with --port N`,
    );
  });

  describe.runIf(process.getuid?.() === 0)('as root, below a folder that is closed to others', () => {
    let closed: string;

    beforeEach(async () => {
      closed = await mkdtemp(join(homedir(), '.strategos-test-'));
      await chmod(closed, 0o700);
    });

    afterEach(() => rm(closed, { recursive: true, force: true }));

    test('the files lie where the server can reach them, and the data folder leads there', async () => {
      const inside = await makeDataDirectory(join(closed, 'data'));
      {
        await using postgres = await Postgres.start({ data: inside, port: await freePort() });
        await postgres.ensureDatabase(DATABASE);
        await query(postgres.url(DATABASE), 'CREATE TABLE t AS SELECT 7 AS n');
      }
      const store = await readlink(join(inside.root, 'postgres'));
      expect(store).toMatch(/^\/var\/lib\/strategos\/[0-9a-f]{16}$/);
      {
        await using again = await Postgres.start({ data: inside, port: await freePort() });
        expect(await query(again.url(DATABASE), 'SELECT n FROM t')).toEqual([{ n: 7 }]);
      }
      // A copy of the folder must not run on the original's database.
      await cp(inside.root, join(closed, 'copy'), { recursive: true, verbatimSymlinks: true });
      const copy = await makeDataDirectory(join(closed, 'copy'));
      await expect(Postgres.start({ data: copy, port: await freePort() })).rejects.toThrow(/is a copy of .*remove/);

      // A new folder in the old one's place begins empty.
      await rm(inside.root, { recursive: true });
      const fresh = await makeDataDirectory(inside.root);
      await using empty = await Postgres.start({ data: fresh, port: await freePort() });
      expect(await query(empty.url('postgres'), `SELECT 1 FROM pg_database WHERE datname = '${DATABASE}'`)).toEqual([]);
      await empty.stop();
      await removeOutsideStore(fresh.root);
    });
  });
});

/** A process that has nothing to do with us. */
async function aStranger(): Promise<AsyncDisposable & { readonly pid: number }> {
  const child: ChildProcess = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
