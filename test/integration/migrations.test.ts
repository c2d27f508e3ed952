import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createLogger } from '../../services/platform/logger.ts';
import { migrate, MigrationError } from '../../services/platform/postgres/migrate.ts';
import { theServers } from '../harness/current-run.ts';
import { createDatabase } from '../harness/database.ts';

const SCHEMA = 'sample';
const FIRST = { '000001_first.sql': `CREATE TABLE ${SCHEMA}.first (id integer);` };
const SECOND = { '000002_second.sql': `CREATE TABLE ${SCHEMA}.second (id integer);` };
const BROKEN = { '000002_second.sql': `CREATE TABLE ${SCHEMA}.second (id nonsense);` };

/** A release's migrations in a folder of their own. */
async function release(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join((await theServers()).directory, 'release-'));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql);
  return folder;
}

function bring(databaseUrl: string, directory: string): Promise<string[]> {
  return migrate({ databaseUrl, schema: SCHEMA, directory, logger: createLogger('test', 'silent') });
}

async function tables(databaseUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename <> 'schema_migration' ORDER BY 1`,
      [SCHEMA],
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

test('replicas that start at once migrate once', async () => {
  await using database = await createDatabase();
  const directory = await release({ ...FIRST, ...SECOND });
  const applied = await Promise.all(Array.from({ length: 5 }, () => bring(database.url, directory)));
  expect(applied.filter((names) => names.length > 0)).toEqual([['000001_first', '000002_second']]);
  expect(await tables(database.url)).toEqual(['first', 'second']);
});

test('a release refuses a schema that is newer than it knows, and leaves it alone', async () => {
  await using database = await createDatabase();
  await bring(database.url, await release({ ...FIRST, ...SECOND }));
  const older = bring(database.url, await release(FIRST));
  await expect(older).rejects.toThrow(MigrationError);
  await expect(older).rejects.toThrow(/"sample" was migrated by a newer release \(000002_second\); start that release/);
  expect(await tables(database.url)).toEqual(['first', 'second']);
});

test('a migration that fails takes back everything that was to come with it, and can be tried again', async () => {
  await using database = await createDatabase();
  await expect(bring(database.url, await release({ ...FIRST, ...BROKEN }))).rejects.toThrow(
    /schema "sample" cannot be migrated: .*nonsense/,
  );
  expect(await tables(database.url)).toEqual([]);
  expect(await bring(database.url, await release({ ...FIRST, ...SECOND }))).toHaveLength(2);
});
