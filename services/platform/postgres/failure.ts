import { DatabaseError } from 'pg';

/** Node's codes for a peer that is away or went away. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** admin_shutdown, crash_shutdown, cannot_connect_now, and too_many_connections while a restart is piling up clients. */
const RESTART_STATES = new Set(['57P01', '57P02', '57P03', '53300']);

/** serialization_failure, deadlock_detected. */
const CONFLICT_STATES = new Set(['40001', '40P01']);

/** What node-postgres says without a code when a connection is gone or cannot be had. */
const CONNECTION_MESSAGES =
  /^(connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|connection ended unexpectedly|client was closed)/i;

/** True for everything that means "Postgres is away or restarting"; the same statement may succeed in a moment. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isConnectionFailure)) return true;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && (SOCKET_CODES.has(code) || RESTART_STATES.has(code) || /^08...$/.test(code))) {
    return true;
  }
  return CONNECTION_MESSAGES.test(error.message);
}

/** True when the server itself refused a statement: it wrote nothing. Of any other failure nobody can say that. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && !isConnectionFailure(error);
}

/** True where repeating the whole transaction is right: a connection failure, a serialization conflict or a deadlock. */
export function retryable(error: unknown): boolean {
  return isConnectionFailure(error) || isConflict(error);
}

/** True for a serialization conflict or a deadlock: nothing was written, and the same statement succeeds when it is repeated. */
function isConflict(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && CONFLICT_STATES.has(code);
}

const CONFLICT_TRIES_MAX = 5;

/** Runs one statement, again when it lost a conflict with another: statements that lock several rows each may deadlock. */
export async function repeatedOnConflict<T>(statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement();
    } catch (thrown) {
      if (!isConflict(thrown) || attempt === CONFLICT_TRIES_MAX) throw thrown;
    }
  }
}
