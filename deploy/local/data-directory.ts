import { randomBytes } from 'node:crypto';
import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '../../services/platform/errors.ts';
import { hasCode, livingPid, readIfThere, writeRecord } from './process-record.ts';

/** Folder in the working directory that is used when nothing else is named. */
export const DATA_DIRECTORY_DEFAULT = '.strategos';

/** Paths below a data folder. */
export interface DataDirectory {
  readonly root: string;
  /** Address of the gateway while the platform runs; the command line reads it. */
  readonly urlFile: string;
  /** Founding operator token, mode 0600. */
  readonly tokenFile: string;
  readonly demoCredentialsFile: string;
  readonly demoJournal: string;
  readonly log: (name: string) => string;
  /** Folder with a note for every running process. */
  readonly records: string;
  readonly record: (name: string) => string;
}

export function dataDirectoryAt(path: string): DataDirectory {
  const root = resolve(path);
  return {
    root,
    urlFile: join(root, 'url'),
    tokenFile: join(root, 'token'),
    demoCredentialsFile: join(root, 'demo.credentials.json'),
    demoJournal: join(root, 'demo.journal'),
    log: (name) => join(root, 'logs', `${name}.log`),
    records: join(root, 'run'),
    record: (name) => join(root, 'run', `${name}.json`),
  };
}

/**
 * Makes the folder. Its files that hold secrets have mode 0600; the folder itself stays open for the database's user.
 * @throws Error in one sentence when it cannot be made or be written to.
 */
export async function makeDataDirectory(path: string): Promise<DataDirectory> {
  const data = dataDirectoryAt(path);
  const refused = (why: string, cause: unknown): Error =>
    new Error(`${data.root} cannot be the data folder: ${why}; name another one with --data DIR`, { cause });
  try {
    await mkdir(data.root, { recursive: true, mode: 0o755 });
  } catch (thrown) {
    if (hasCode(thrown, 'EEXIST', 'ENOTDIR')) throw refused('a file is in its place', thrown);
    // Below a file system that is read-only, Node says that there is no such folder: it was about to make it.
    throw refused(
      hasCode(thrown, 'ENOENT') ? 'nothing can be made there, perhaps it is read-only' : messageOf(thrown),
      thrown,
    );
  }
  try {
    const probe = join(data.root, `probe.${process.pid}`);
    await writeFile(probe, '');
    await rm(probe, { force: true });
  } catch (thrown) {
    throw refused(`it cannot be written to (${messageOf(thrown).split(',')[0]})`, thrown);
  }
  return data;
}

/** The secret kept in `<data>/<name>`, made at the first call: 32 random bytes as base64url. */
export async function keptSecret(data: DataDirectory, name: string): Promise<string> {
  const file = join(data.root, name);
  const known = (await readIfThere(file))?.trim();
  if (known !== undefined && known !== '') return known;
  const secret = randomBytes(32).toString('base64url');
  await writePrivate(file, `${secret}\n`);
  return secret;
}

/** Writes a file that only its owner may read. It appears whole or not at all. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
  await rename(temporary, file);
}

/**
 * Takes the data folder for this process; the returned function gives it back.
 * @throws Error in one sentence when another living process has it.
 */
export async function lockDataDirectory(data: DataDirectory): Promise<() => Promise<void>> {
  const lock = data.record('up');
  const mine = `${lock}.mine.${process.pid}`;
  await writeRecord(mine, process.pid);
  try {
    for (;;) {
      try {
        await link(mine, lock);
        return () => rm(lock, { force: true });
      } catch (thrown) {
        if (!hasCode(thrown, 'EEXIST')) throw thrown;
      }
      const holder = await livingPid(lock);
      if (holder !== undefined) {
        throw new Error(
          `strategos is already running on ${data.root} (process ${holder}); stop it, or name another folder with --data DIR and other ports with --port N`,
        );
      }
      // Only one of several contenders moves the dead lock away; the others find the next one's.
      await moveAside(lock, `${lock}.stale.${process.pid}`);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function moveAside(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await rm(to, { force: true });
  } catch (thrown) {
    if (!hasCode(thrown, 'ENOENT')) throw thrown;
  }
}
