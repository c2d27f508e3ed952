import { Pool } from 'pg';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { watchAnswers } from './watch-answers.ts';

export { isConnectionFailure, isUnavailable, retryable } from './failure.ts';

export interface PoolOptions {
  readonly databaseUrl: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectionsMax: number;
  readonly logger: Logger;
  /** A statement running longer is cancelled. Default 15 s. */
  readonly statementMsMax?: number;
  /** Server settings of every connection, such as `{ jit: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 15_000;
/** How much longer than the server's own limit a client waits for it before it gives up the connection. */
const STATEMENT_GRACE_MS = 5_000;
const IDLE_IN_TRANSACTION_MS_MAX = 30_000;
const IDLE_MS_MAX = 60_000;
const KEEPALIVE_MS = 10_000;

/**
 * A pool whose every wait has an end. A server that goes away fails queries with what `isConnectionFailure` knows, is
 * logged once, and never ends the process.
 */
export function createPool(options: PoolOptions): Pool {
  const statementMsMax = options.statementMsMax ?? STATEMENT_MS_MAX;
  const pool = new Pool({
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    options: Object.entries(options.settings ?? {})
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    max: options.connectionsMax,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    statement_timeout: statementMsMax,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
  });
  let healthy = true;
  pool.on('error', (error) => {
    if (healthy) options.logger.warn({ reason: messageOf(error) }, 'postgres connection lost');
    healthy = false;
  });
  pool.on('connect', (client) => {
    watchAnswers(client, statementMsMax + STATEMENT_GRACE_MS);
    // Without a listener, an error of a connection that is checked out would end the process; its query fails anyway.
    client.on('error', (error) => options.logger.debug({ reason: messageOf(error) }, 'postgres connection failed'));
    if (!healthy) options.logger.info('postgres connected again');
    healthy = true;
  });
  return pool;
}
