import { Client } from 'pg';

/** What the services' migrations have made, by schema. */
const SCHEMAS = `SELECT nspname AS schema FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') ORDER BY nspname`;

const TABLES = `SELECT c.oid, c.relname AS name, array_to_string(c.reloptions, ', ') AS options
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY c.relname`;

const COLUMNS = `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
  pg_get_expr(d.adbin, d.adrelid) AS value, CASE WHEN a.attcollation <> t.typcollation THEN l.collname END AS collation
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname`;

/** NOT NULL stands with its column. */
const CONSTRAINTS = `SELECT conname AS name, pg_get_constraintdef(oid, true) AS definition
FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n' ORDER BY conname`;

const INDEXES = `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = $1 AND k.oid IS NULL ORDER BY 1`;

const OTHERS = `SELECT 'sequence ' || c.relname AS line FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind = 'S'
UNION ALL SELECT 'function ' || p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = $1
UNION ALL SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass::text FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND NOT t.tgisinternal
UNION ALL SELECT 'type ' || t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE n.nspname = $1 AND t.typtype IN ('e', 'd')
ORDER BY line`;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly value: string | null;
  readonly collation: string | null;
}

interface Named {
  readonly name: string;
  readonly definition: string;
}

/** A readable listing of every schema of the database: tables with columns, constraints and indexes, all in order of name. */
export async function schemaListings(databaseUrl: string): Promise<ReadonlyMap<string, string>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ schema: string }>(SCHEMAS);
    const listings = new Map<string, string>();
    for (const { schema } of rows) listings.set(schema, await listing(client, schema));
    return listings;
  } finally {
    await client.end();
  }
}

async function listing(client: Client, schema: string): Promise<string> {
  const tables = await client.query<{ oid: number; name: string; options: string | null }>(TABLES, [schema]);
  const parts: string[] = [];
  for (const { oid, name, options } of tables.rows) {
    const columns = await client.query<Column>(COLUMNS, [oid]);
    const constraints = await client.query<Named>(CONSTRAINTS, [oid]);
    const indexes = await client.query<Named>(INDEXES, [oid]);
    const lines = [
      `table ${schema}.${name}${options === null ? '' : ` with (${options})`}`,
      ...columns.rows.map((column) => `  column ${columnText(column)}`),
      ...constraints.rows.map((constraint) => `  constraint ${constraint.name} ${constraint.definition}`),
      ...indexes.rows.map(
        (index) =>
          `  ${index.definition.replace(/^CREATE (UNIQUE )?INDEX/, (_, unique?: string) => (unique === undefined ? 'index' : 'unique index'))}`,
      ),
    ];
    parts.push(lines.join('\n'));
  }
  const others = await client.query<{ line: string }>(OTHERS, [schema]);
  if (others.rows.length > 0) parts.push(others.rows.map(({ line }) => line).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function columnText({ name, type, required, value, collation }: Column): string {
  const collated = collation === null ? '' : ` collate "${collation}"`;
  return `${name} ${type}${collated}${required ? ' not null' : ''}${value === null ? '' : ` default ${value}`}`;
}
