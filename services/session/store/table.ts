import type { Statement } from './statement.ts';

/** How a field is stored. A `time` is milliseconds here and timestamptz there; its field ends in TimeMs, its column in _time. */
export type ColumnType =
  | 'uuid'
  | 'text'
  | 'bigint'
  | 'integer'
  | 'double precision'
  | 'boolean'
  | 'jsonb'
  | 'uuid[]'
  | 'time';

/** A table whose rows are records of the domain, field by field. */
export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly key: readonly string[];
}

function column(field: string): string {
  return field.replace(/TimeMs$/, 'Time').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Columns to select, under the names of their fields; `alias` is the table's in the statement. */
export function selection({ columns }: Table, alias: string): string {
  return Object.keys(columns)
    .map((field) => `${alias}.${column(field)} AS "${field}"`)
    .join(', ');
}

/** Writes the records in $1, a JSON array of them: new ones are inserted, known ones replaced. */
export function upsert(name: string, table: Table): Statement {
  const fields = Object.keys(table.columns);
  const keys = table.key.map(column);
  const rest = fields.map(column).filter((each) => !keys.includes(each));
  return {
    name,
    text: `INSERT INTO session.${table.name} (${fields.map(column).join(', ')})
SELECT ${fields.map((field) => value(field, table.columns[field])).join(', ')}
FROM jsonb_to_recordset($1::jsonb) AS r(${fields.map((field) => `"${field}" ${recordType(table.columns[field])}`).join(', ')})
ON CONFLICT (${keys.join(', ')}) DO UPDATE SET (${rest.join(', ')}) = ROW(${rest.map((each) => `EXCLUDED.${each}`).join(', ')})`,
  };
}

function value(field: string, type: ColumnType | undefined): string {
  return type === 'time' ? `to_timestamp(r."${field}" / 1000.0)` : `r."${field}"`;
}

function recordType(type: ColumnType | undefined): string {
  return type === 'time' ? 'double precision' : (type ?? 'text');
}
