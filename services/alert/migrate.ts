import { fileURLToPath } from 'node:url';
import type { Logger } from '../platform/logger.ts';
import { migrate } from '../platform/postgres/migrate.ts';

/** Brings schema `alert` to this release; safe to call from several replicas at once. */
export async function migrateDatabase(databaseUrl: string, logger: Logger): Promise<void> {
  const directory = fileURLToPath(new URL('./migrations', import.meta.url));
  await migrate({ databaseUrl, schema: 'alert', directory, logger });
}
