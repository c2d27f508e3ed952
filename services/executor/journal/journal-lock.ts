import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A process that was just killed may need a moment to be gone. */
const LOCK_WAIT_MS = 1_000;
/** SQLite's primary result code for "another connection holds the lock". */
const SQLITE_BUSY = 5;

/**
 * Holds a directory for this process. The lock is the operating system's own, taken through an SQLite file: it ends with the
 * process however that ends, so a killed agent never locks out its successor.
 * @returns a function that lets go
 * @throws Error naming the file and the process that holds it
 */
export function lockJournalDirectory(directory: string): () => void {
  const lockFile = join(directory, 'journal.lock');
  const ownerFile = join(directory, 'journal.owner');
  const lock = new DatabaseSync(lockFile, { timeout: LOCK_WAIT_MS });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if (!isBusy(thrown)) throw thrown;
    throw new Error(
      `the journal ${directory} is in use by ${readOwner(ownerFile)} (lock ${lockFile}): ` +
        'stop that agent, or give this one a journal directory of its own',
      { cause: thrown },
    );
  }
  writeFileSync(ownerFile, `process ${process.pid} on ${hostname()}\n`);
  return () => lock.close();
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && (Number(thrown.errcode) & 0xff) === SQLITE_BUSY;
}

function readOwner(ownerFile: string): string {
  try {
    return readFileSync(ownerFile, 'utf8').trim() || 'another process';
  } catch {
    return 'another process';
  }
}
