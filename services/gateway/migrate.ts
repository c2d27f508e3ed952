import { fileURLToPath } from 'node:url';
import { messageOf, unavailable } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { migrate } from '../platform/postgres/migrate.ts';
import { isUnavailable } from '../platform/postgres/pool.ts';

/**
 * Brings schema `gateway` to this release; safe to call from several replicas at once.
 * @throws StatusError UNAVAILABLE when the database cannot be reached.
 */
export async function migrateDatabase(databaseUrl: string, logger: Logger): Promise<void> {
  const directory = fileURLToPath(new URL('./migrations', import.meta.url));
  try {
    await migrate({ databaseUrl, schema: 'gateway', directory, logger });
  } catch (thrown) {
    if (!isUnavailable(thrown)) throw thrown;
    throw unavailable('postgres', `the database cannot be reached: ${messageOf(thrown)}`, thrown);
  }
}
