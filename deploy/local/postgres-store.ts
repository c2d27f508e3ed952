import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canEnter, type PostgresAccount } from './postgres-account.ts';
import { SYSTEM_STORE } from './postgres-binaries.ts';
import { hasCode, readIfThere } from './process-record.ts';

/** Says in a store which data folder it belongs to. */
const OWNER_NOTE = 'data-directory';

/** Where the database files of a data folder lie. */
export interface PostgresStore {
  /** Directory that holds the cluster; the account can enter and write it. */
  readonly directory: string;
  /** Folder for copies of the programs, should the account not reach the installed ones. */
  readonly programs: string;
}

/**
 * Finds or makes the place for the cluster of `dataDirectory`: `<data>/postgres`, or, when the account cannot reach that
 * (root's home is closed to the `postgres` user), a folder in /var/lib/strategos with a link to it in the data folder.
 * `discard` is called with a store that an earlier, since removed data folder of the same path has left.
 * @throws Error when the data folder is a copy whose database still belongs to the original.
 */
export async function postgresStore(
  dataDirectory: string,
  account: PostgresAccount | undefined,
  discard: (directory: string) => Promise<void>,
): Promise<PostgresStore> {
  const data = await realpath(dataDirectory);
  const place = join(data, 'postgres');
  const programs = account === undefined ? data : SYSTEM_STORE;
  const linked = await linkTarget(place);
  if (linked !== undefined) {
    await claim(linked, data);
    return { directory: linked, programs };
  }
  if (account === undefined || (await canEnter(account, data))) {
    await mkdir(place, { recursive: true, mode: 0o700 });
    await own(place, account);
    return { directory: place, programs };
  }
  const directory = join(SYSTEM_STORE, createHash('sha256').update(data).digest('hex').slice(0, 16));
  await discard(directory);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await own(directory, account);
  await writeFile(join(directory, OWNER_NOTE), `${data}\n`);
  await symlink(directory, place);
  return { directory, programs };
}

/** Removes what lies outside the data folder, for data folders that live for one test run. */
export async function removeOutsideStore(dataDirectory: string): Promise<void> {
  const linked = await linkTarget(join(dataDirectory, 'postgres'));
  if (linked !== undefined) await rm(linked, { recursive: true, force: true });
}

async function claim(store: string, data: string): Promise<void> {
  const owner = (await readIfThere(join(store, OWNER_NOTE)))?.trim();
  if (owner === data) return;
  const ownersLink = owner === undefined ? undefined : await linkTarget(join(owner, 'postgres'));
  if (ownersLink === store) {
    throw new Error(
      `${data} is a copy of ${owner}, whose database lies in ${store}; remove ${join(data, 'postgres')} to begin with an empty one`,
    );
  }
  await mkdir(store, { recursive: true, mode: 0o755 });
  await writeFile(join(store, OWNER_NOTE), `${data}\n`);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

async function own(path: string, account: PostgresAccount | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}
