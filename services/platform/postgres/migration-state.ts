import { readdir } from 'node:fs/promises';
import type { ClientBase } from 'pg';

/** In every schema, the list of what it has had. */
export const MIGRATIONS_TABLE = 'schema_migration';

/** How a schema compares with the migrations of this release. Both lists empty: they agree. */
export interface MigrationState {
  /** Known here, not applied there. */
  readonly missing: readonly string[];
  /** Applied there by a newer release, not known here. */
  readonly unknown: readonly string[];
}

/** Compares without changing anything. A schema that is not there misses everything. */
export async function migrationState(client: ClientBase, schema: string, directory: string): Promise<MigrationState> {
  const known = await migrationNames(directory);
  const applied = await appliedMigrations(client, schema);
  return {
    missing: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/** Names of the migrations in a folder, without `.sql`, in order. */
export async function migrationNames(directory: string): Promise<string[]> {
  const files = await readdir(directory);
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .toSorted();
}

/** Names of the migrations that a schema has had, in order. */
async function appliedMigrations(client: ClientBase, schema: string): Promise<string[]> {
  const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(MIGRATIONS_TABLE)}`;
  const exists = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
  if (exists.rows[0]?.found !== true) return [];
  const applied = await client.query<{ name: string }>(`SELECT name FROM ${table} ORDER BY id`);
  return applied.rows.map((row) => row.name);
}
