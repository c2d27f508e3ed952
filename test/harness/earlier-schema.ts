import { cp, mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { createLogger } from '../../services/platform/logger.ts';
import { migrate } from '../../services/platform/postgres/migrate.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { theServers } from './current-run.ts';
import { createDatabase } from './database.ts';

/** A database as an earlier release left it, on one connection that outlives the migration. */
export interface EarlierSchema extends AsyncDisposable {
  readonly pool: Pool;
  /** What a service of this release does at its start. */
  migrate(): Promise<void>;
}

/** The schema of a service as it was before the migration of this number, such as "000007". */
export async function earlierSchema(service: string, before: string): Promise<EarlierSchema> {
  const database = await createDatabase();
  const logger = createLogger('test', 'silent');
  const pool = createPool({ databaseUrl: database.url, applicationName: 'test', connectionsMax: 1, logger });
  const migrations = fileURLToPath(new URL(`../../services/${service}/migrations`, import.meta.url));
  const earlier = await mkdtemp(join((await theServers()).directory, 'release-'));
  for (const file of await readdir(migrations)) {
    if (file < before) await cp(join(migrations, file), join(earlier, file));
  }
  const migrateTo = async (directory: string): Promise<void> => {
    await migrate({ databaseUrl: database.url, schema: service, directory, logger });
  };
  await pool.query(`DROP SCHEMA ${service} CASCADE`);
  await migrateTo(earlier);
  return {
    pool,
    migrate: () => migrateTo(migrations),
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}
