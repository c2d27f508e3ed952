import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { asError, unavailable } from '../../platform/errors.ts';
import { isUnavailable } from '../../platform/postgres/pool.ts';
import type { Statement } from './statement.ts';

export type Queryable = Pick<PoolClient, 'query'>;

/** Runs one prepared statement on a connection. */
export async function query<R extends QueryResultRow>(
  client: Queryable,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  const result = await client.query<R>({ name, text, values: [...values] });
  return result.rows;
}

/**
 * Runs one statement that changes nothing. A pooled connection may have died unnoticed, so a lost one is tried once more.
 * @throws StatusError UNAVAILABLE while Postgres is away.
 */
export async function read<R extends QueryResultRow>(
  pool: Pool,
  statement: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  try {
    return await query<R>(pool, statement, values);
  } catch (thrown) {
    if (!isUnavailable(thrown)) throw thrown;
  }
  return guarded(() => query<R>(pool, statement, values));
}

/**
 * Runs `work` in one transaction; what it throws rolls back.
 * @throws StatusError UNAVAILABLE while Postgres is away; whether a commit that was under way took effect is then not known.
 */
export function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return guarded(async () => {
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (thrown) {
      failure = await rollback(client);
      throw thrown;
    } finally {
      // A connection on which even the rollback failed is not given to anybody else.
      client.release(failure);
    }
  });
}

async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (thrown) {
    return asError(thrown);
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!isUnavailable(thrown)) throw thrown;
    throw unavailable(
      'postgres',
      'the database of accounts and tokens cannot be reached right now, so no token can be checked; try again in a moment',
      thrown,
    );
  }
}
