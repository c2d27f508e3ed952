import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { writePrivate } from '../../../deploy/local/data-directory.ts';
import { hasCode } from '../../../deploy/local/process-record.ts';
import { messageOf } from '../../platform/errors.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';

/** Before a secret is made that is shown only once: the file for it must be new. @throws CliError usage. */
export async function requireNewFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access(path);
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return;
    throw usageError(`${path} cannot be written: ${messageOf(thrown)}`, thrown);
  }
  throw usageError(`${path} exists already; name a new file, or remove it`);
}

/** Writes a secret with mode 0600. @throws CliError that gives the secret back, because nobody else will. */
export async function writeSecret(path: string, secret: string): Promise<void> {
  try {
    await writePrivate(resolve(path), secret);
  } catch (thrown) {
    throw new CliError(
      EXIT.failed,
      `${path} cannot be written (${messageOf(thrown)}); keep this, it is not shown again:\n${secret}`,
      { cause: thrown },
    );
  }
}
