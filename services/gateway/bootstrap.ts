import { randomUUID } from 'node:crypto';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { issueBearer } from './domain/bearer.ts';
import { FOUNDER_TOKEN_NAME, FOUNDING_ACCOUNT_ID } from './domain/token.ts';
import type { TokenStore } from './store/token-store.ts';
import { newTokenId } from './token-id.ts';

/** How to get in again when the file is lost; also said in the log. */
const RECOVERY = '`strategos token recover` makes another admin token';

/**
 * On the first start, with no token in the database, opens the founding account and writes the bearer of its admin token to
 * `tokenFile`. The file is whole and has mode 0600 from the moment it has its name, and the token becomes valid only after it.
 * @throws Error when the file cannot be written; nothing is founded then.
 */
export async function foundPlatform(store: TokenStore, tokenFile: string | undefined, logger: Logger): Promise<void> {
  if (tokenFile === undefined) {
    logger.info({ recovery: RECOVERY }, 'no file for a first token is set, none is made');
    return;
  }
  const { bearer, tokenId, secretDigest } = issueBearer(newTokenId());
  const founder = {
    id: tokenId,
    accountId: FOUNDING_ACCOUNT_ID,
    name: FOUNDER_TOKEN_NAME,
    role: 'admin',
    secretDigest,
  } as const;
  const made = await store.found(founder, () => writePrivately(tokenFile, `${bearer}\n`));
  if (made !== undefined) {
    logger.info({ file: tokenFile, account: made.accountId, tokenId: made.id }, 'founding admin token written');
  } else if (!(await exists(tokenFile))) {
    logger.warn({ file: tokenFile, recovery: RECOVERY }, 'tokens exist, and the founding one is not in its file');
  }
}

/** Writes a file that only its owner reads, and that no reader ever sees half. The folder is made when missing. */
export async function writePrivately(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.${randomUUID()}`;
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
      await rename(temporary, path);
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw new Error(`cannot write the founding token to ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false;
    throw thrown;
  }
}
