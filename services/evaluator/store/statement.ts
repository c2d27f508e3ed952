import { type PoolClient, type QueryResultRow, TypeOverrides } from 'pg';

/** A prepared statement: named, so that each connection plans it once; a test prepares each against the migrated schema. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export type Queryable = Pick<PoolClient, 'query'>;

const TIMESTAMPTZ = 1184;
const BIGINT = 20;

/** Times as milliseconds since the epoch, bigints as numbers: all of ours stay far below 2^53. */
const rowTypes = new TypeOverrides();
rowTypes.setTypeParser(TIMESTAMPTZ, (value: string) =>
  Date.parse(value.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')),
);
rowTypes.setTypeParser(BIGINT, Number);

/** Runs a prepared statement with our type parsers; `Row` says what its columns are. */
export async function run<Row extends QueryResultRow>(
  connection: Queryable,
  statement: Statement,
  values: unknown[],
): Promise<Row[]> {
  const { rows } = await connection.query<Row>({ ...statement, values, types: rowTypes });
  return rows;
}
