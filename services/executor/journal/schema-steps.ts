import type { DatabaseSync } from 'node:sqlite';

/**
 * Brings an SQLite file to the newest schema: `steps` are SQL scripts, one a version; a step that was released is never
 * edited. `user_version` counts the steps done, each in a transaction of its own.
 * @throws Error when the file was written by a newer agent: an older one would misread it
 */
export function applySchemaSteps(database: DatabaseSync, file: string, steps: readonly string[]): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > steps.length) {
    throw new Error(
      `${file} has schema version ${version}, and this agent knows up to ${steps.length}: ` +
        'run the newer agent that wrote it, or name another journal directory',
    );
  }
  for (const [at, sql] of steps.slice(version).entries()) {
    database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${version + at + 1}; COMMIT`);
  }
}
