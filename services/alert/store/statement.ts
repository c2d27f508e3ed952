import { type Pool, type PoolClient, type QueryResultRow, TypeOverrides } from 'pg';
import { asError, unavailable } from '../../platform/errors.ts';
import { isUnavailable } from '../../platform/postgres/pool.ts';

const TIMESTAMPTZ = 1184;
const BIGINT = 20;

function millisecondsOf(value: string): number {
  if (value === 'infinity') return Infinity;
  return Date.parse(value.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
}

/** Times as milliseconds since the epoch and bigints as numbers: all of ours stay far below 2^53. */
const rowTypes = new TypeOverrides();
rowTypes.setTypeParser(TIMESTAMPTZ, millisecondsOf);
rowTypes.setTypeParser(BIGINT, Number);

/** A prepared statement: named, so that each connection plans it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export type Connection = Pick<PoolClient, 'query'>;

/** Runs a prepared statement; `Row` says what its columns are. */
export async function run<Row extends QueryResultRow>(
  connection: Connection,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { rows } = await connection.query<Row>({ name, text, values: [...values], types: rowTypes });
  return rows;
}

/** Runs a statement on the pool. @throws UNAVAILABLE while Postgres is away. */
export function read<Row extends QueryResultRow>(
  pool: Pool,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  return guarded(() => run<Row>(pool, statement, values));
}

/**
 * Runs `work` in a transaction. A connection whose transaction failed is thrown away: its state is not worth a guess.
 * @throws UNAVAILABLE while Postgres is away; whether a commit that was under way took effect is then not known.
 */
export function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return guarded(async () => {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const done = await work(client);
      await client.query('COMMIT');
      return done;
    } catch (thrown) {
      broken = asError(thrown);
      throw thrown;
    } finally {
      client.release(broken);
    }
  });
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!isUnavailable(thrown)) throw thrown;
    throw unavailable('postgres', 'the database of alerts cannot be reached right now; try again in a moment', thrown);
  }
}
