import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';

/** Values of columns as JSON gives them to Postgres; bytes as "\\x…". */
export type Columns = Readonly<Record<string, unknown>>;

/** Every column of command.command that may be NULL, as NULL. */
export async function allNull(database: Client): Promise<Columns> {
  const { rows } = await database.query<{ column_name: string }>(
    `SELECT column_name FROM information_schema.columns
     WHERE table_schema = 'command' AND table_name = 'command' AND is_nullable = 'YES'`,
  );
  return Object.fromEntries(rows.map((row) => [row.column_name, null]));
}

/**
 * Inserts a copy of a stored command with other columns, past everything that would check it, as a defect or a hand at the
 * database would. It comes after all that has been issued.
 * @returns the new row's id
 */
export async function insertCopy(database: Client, commandId: string, columns: Columns): Promise<string> {
  const id = randomUUID();
  await database.query(
    `WITH number AS (
       UPDATE command.account SET event_number = event_number + 1
       WHERE id = (SELECT account_id FROM command.command WHERE id = $1) RETURNING event_number
     )
     INSERT INTO command.command
     SELECT copy.* FROM command.command original, number, jsonb_populate_record(NULL::command.command,
       to_jsonb(original) || jsonb_build_object('id', $2::text, 'sequence', number.event_number, 'request_id', NULL) || $3) copy
     WHERE original.id = $1`,
    [commandId, id, JSON.stringify(columns)],
  );
  return id;
}
