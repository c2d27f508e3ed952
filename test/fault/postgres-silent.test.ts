import { afterEach, expect, test } from 'vitest';
import { createLogger } from '../../services/platform/logger.ts';
import { isConnectionFailure } from '../../services/platform/postgres/failure.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { createDatabase } from '../harness/database.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

/** The client waits five seconds longer than the server's own limit. */
const STATEMENT_MS_MAX = 100;
const GIVEN_UP_MS_MAX = 8_000;

const stack = new AsyncDisposableStack();
afterEach(() => stack.disposeAsync());

test('a database that no longer answers fails what waits for it, and is used again when it answers', async () => {
  const database = stack.use(await createDatabase());
  const url = new URL(database.url);
  const proxy = stack.use(await TcpProxy.start(Number(url.port)));
  url.port = String(proxy.port);
  const pool = createPool({
    databaseUrl: url.href,
    applicationName: 'silent',
    connectionsMax: 2,
    logger: createLogger('test', 'silent'),
    statementMsMax: STATEMENT_MS_MAX,
  });
  stack.defer(() => pool.end());
  const transaction = await pool.connect();
  await transaction.query('BEGIN');
  await pool.query('SELECT 1');

  proxy.blackhole('down');
  const beganMs = performance.now();
  const ends = await Promise.allSettled([pool.query('SELECT 2'), transaction.query('SELECT 3')]);
  transaction.release(true);

  expect(performance.now() - beganMs).toBeLessThan(GIVEN_UP_MS_MAX);
  for (const end of ends) {
    expect(end.status === 'rejected' && isConnectionFailure(end.reason)).toBe(true);
    expect(String(end.status === 'rejected' && end.reason)).toContain('no answer within');
  }
  proxy.heal();
  const { rows } = await pool.query<{ answer: number }>('SELECT 4 AS answer');
  expect(rows).toEqual([{ answer: 4 }]);
});
