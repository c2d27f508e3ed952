import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whose commands a journal holds. */
export interface JournalExecutor {
  readonly executorId: string;
  readonly executorName?: string;
}

/**
 * Keeps the journal of `directory` for one executor, the first that names itself: what it was given is carried out at the
 * next start, whether the platform is there or not, and must not be carried out at another's venue. Call it with the
 * directory locked.
 * @throws Error when the journal is another's; the message says whose, and what to do
 */
export function keepForExecutor(directory: string, own: JournalExecutor): void {
  const file = join(directory, 'journal.executor');
  const [executorId, name = ''] = (readIfThere(file) ?? '').trim().split(' ');
  if (executorId === undefined || executorId === '') {
    writeFileSync(`${file}.new`, `${own.executorId} ${own.executorName ?? ''}\n`);
    renameSync(`${file}.new`, file);
    return;
  }
  if (executorId === own.executorId) return;
  throw new Error(
    `the journal ${directory} is that of executor ${label(executorId, name)}, and the credentials are those of ` +
      `${label(own.executorId, own.executorName ?? '')}, which would carry out what the other was told: ` +
      'give each executor a journal directory of its own, or move this one away when its executor is no more',
  );
}

function label(executorId: string, name: string): string {
  return name === '' ? executorId : `${name} (${executorId})`;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}
