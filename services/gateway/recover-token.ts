import { invalidFields } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createPool } from '../platform/postgres/pool.ts';
import { issueBearer } from './domain/bearer.ts';
import { nameViolations } from './domain/name.ts';
import { FOUNDING_ACCOUNT_ID } from './domain/token.ts';
import { migrateDatabase } from './migrate.ts';
import { TokenStore } from './store/token-store.ts';
import { newTokenId } from './token-id.ts';

/**
 * Makes an admin token with nothing but access to the database, for when every bearer is lost: who can write to the database
 * owns the platform already. The gateway need not run. The account is opened when it does not exist.
 * @returns the bearer, shown this once, and the token's id.
 * @throws StatusError INVALID_ARGUMENT for a bad name, ALREADY_EXISTS for a taken one, UNAVAILABLE without the database.
 */
export async function recoverToken({
  databaseUrl,
  name,
  accountId = FOUNDING_ACCOUNT_ID,
  logger,
}: {
  readonly databaseUrl: string;
  readonly name: string;
  readonly accountId?: string;
  readonly logger: Logger;
}): Promise<{ readonly id: string; readonly accountId: string; readonly name: string; readonly bearer: string }> {
  const violations = [...nameViolations('name', name), ...nameViolations('account_id', accountId)];
  if (violations.length > 0) throw invalidFields(violations);
  await migrateDatabase(databaseUrl, logger);
  const pool = createPool({ databaseUrl, applicationName: 'strategos token recover', connectionsMax: 1, logger });
  try {
    const { bearer, tokenId, secretDigest } = issueBearer(newTokenId());
    const token = await new TokenStore(pool).recover({ id: tokenId, accountId, name, role: 'admin', secretDigest });
    return { id: token.id, accountId: token.accountId, name: token.name, bearer };
  } finally {
    await pool.end();
  }
}
