import { execFile } from 'node:child_process';
import { chown, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../services/platform/errors.ts';
import type { PostgresAccount } from './postgres-account.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { commandLine, endProcess, readIfThere } from './process-record.ts';

const run = promisify(execFile);

/** A server left over from a killed run serves nobody that matters: no smart shutdown. */
export const POSTGRES_LEFTOVER_STEPS = [
  { signal: 'SIGINT', waitMs: 20_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
] as const;
export const SUPERUSER = 'strategos';

/**
 * Ends the postmaster that still runs on the store's cluster, and removes its pid file when it names a process that is
 * gone or is something else: Postgres itself would refuse to start for as long as that pid is taken.
 */
export async function endPostmasterOf(storeDirectory: string): Promise<void> {
  const cluster = join(storeDirectory, 'cluster');
  const pidFile = join(cluster, 'postmaster.pid');
  const pid = Number.parseInt((await readIfThere(pidFile))?.split('\n')[0] ?? '', 10);
  if (!Number.isSafeInteger(pid)) return;
  const args = pid > 1 ? await commandLine(pid) : undefined;
  if (args?.includes(cluster) === true && args[0]?.includes('postgres') === true)
    await endProcess(pid, POSTGRES_LEFTOVER_STEPS);
  else await rm(pidFile, { force: true });
}

/** Makes a new, empty cluster whose superuser has the password. @throws Error when initdb fails. */
export async function initialiseCluster(
  binaries: PostgresBinaries,
  cluster: string,
  account: PostgresAccount | undefined,
  password: string,
): Promise<void> {
  // A run that died in the middle of this leaves the unfinished folder behind, never half a cluster.
  const unfinished = `${cluster}.new`;
  const secrets = await mkdtemp(join(tmpdir(), 'strategos-'));
  try {
    const passwordFile = join(secrets, 'password');
    await rm(unfinished, { recursive: true, force: true });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account !== undefined) {
      await chown(passwordFile, account.uid, account.gid);
      await chown(secrets, account.uid, account.gid);
    }
    const flags = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    await run(
      binaries.initdb,
      [
        `--pgdata=${unfinished}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        ...flags,
      ],
      { ...account, cwd: '/', env: serverEnvironment() },
    );
    await rename(unfinished, cluster);
  } catch (thrown) {
    throw new Error(`PostgreSQL could not make its database files in ${cluster}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

/** What server programs see of the environment: nothing of the user's. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
