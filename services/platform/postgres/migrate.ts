import { Client } from 'pg';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { isConnectionFailure } from './failure.ts';
import { MIGRATIONS_TABLE, migrationState } from './migration-state.ts';

export interface MigrateOptions {
  readonly databaseUrl: string;
  /** The service's schema; made when missing. Also holds the table of applied migrations. */
  readonly schema: string;
  /** Folder of `<number>_<name>.sql` files. */
  readonly directory: string;
  readonly logger: Logger;
}

/** A schema that cannot be brought to this release: it is newer, or a migration failed and was rolled back. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const CONNECT_MS_MAX = 10_000;
/** Longer than any migration of another process may take; then somebody is stuck and a person has to look. */
const LOCK_MS_MAX = 120_000;

/**
 * Brings the schema to this release, in one transaction. Several processes may call it at once: one migrates, the others
 * wait and find it done. Returns the names of the migrations that were applied.
 * @throws MigrationError for a schema that has migrations which `directory` does not, and for a migration that fails.
 * A server that is away fails with what `isConnectionFailure` knows.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { databaseUrl, schema, directory, logger } = options;
  const client = new Client({
    connectionString: databaseUrl,
    application_name: `migrate ${schema}`,
    connectionTimeoutMillis: CONNECT_MS_MAX,
  });
  client.on('error', (error) => logger.warn({ err: error }, 'postgres connection lost while migrating'));
  await client.connect();
  try {
    await client.query(`SET lock_timeout = '${LOCK_MS_MAX}ms'`);
    // Ends with the session; node-pg-migrate's own lock would come after its CREATE SCHEMA, which two at once can fail.
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`strategos migrate ${schema}`]);
    const { unknown, missing } = await migrationState(client, schema, directory);
    if (unknown.length > 0) {
      throw new MigrationError(
        `schema "${schema}" was migrated by a newer release (${unknown.join(', ')}); start that release, or restore an older database`,
      );
    }
    if (missing.length === 0) return [];
    // Loaded for the one start of a release that needs it: it was a seventh of what starting costs the processor.
    const { runner } = await import('node-pg-migrate');
    const applied = await runner({
      dbClient: client,
      dir: directory,
      ignorePattern: '(?!.*\\.sql$).*',
      direction: 'up',
      schema,
      createSchema: true,
      migrationsSchema: schema,
      createMigrationsSchema: true,
      migrationsTable: MIGRATIONS_TABLE,
      singleTransaction: true,
      noLock: true,
      logger: quietLogger(logger),
    });
    const names = applied.map((migration) => migration.name);
    if (names.length > 0) logger.info({ schema, applied: names }, 'schema migrated');
    return names;
  } catch (thrown) {
    if (thrown instanceof MigrationError || isConnectionFailure(thrown)) throw thrown;
    throw new MigrationError(`schema "${schema}" cannot be migrated: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    await client.end();
  }
}

function quietLogger(logger: Logger) {
  return {
    debug: (message: string) => logger.trace({ detail: message }, 'migration'),
    info: (message: string) => logger.debug({ detail: message }, 'migration'),
    warn: (message: string) => logger.warn({ detail: message }, 'migration'),
    error: (message: string) => logger.error({ detail: message }, 'migration'),
  };
}
