import type { Pool } from 'pg';
import { newCredential } from '../../services/command/domain/credential.ts';
import { executorBook } from '../../services/command/store/executor-store.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { createDatabase } from './database.ts';

/** A migrated, empty database and a pool of connections to it, for tests of what reads and writes there. */
export interface DatabasePool extends AsyncDisposable {
  readonly pool: Pool;
}

export async function createDatabasePool(): Promise<DatabasePool> {
  const database = await createDatabase();
  const logger = createLogger('test', 'silent');
  const pool = createPool({ databaseUrl: database.url, applicationName: 'test', connectionsMax: 4, logger });
  return {
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Stores an executor with a credential of its own. */
export async function storeExecutor(pool: Pool, accountId: string, id: string, name: string): Promise<void> {
  await executorBook(pool, 1_000).create({ id, accountId, name, labels: {}, credential: newCredential() });
}
