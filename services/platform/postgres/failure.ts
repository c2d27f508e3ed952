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

/**
 * The server is there and cannot do it now: a read-only transaction after a failover, no disk, memory or connections left, a lock
 * that is not to be had, a statement that took too long or was cancelled, a file that cannot be read.
 */
const UNWILLING_STATES = /^(?:25006|53...|55006|55P03|57...|58...)$/;

/** serialization_failure, deadlock_detected. */
const CONFLICT_STATES = new Set(['40001', '40P01']);

/** What node-postgres says without a code when a connection is gone or cannot be had. */
const CONNECTION_MESSAGES =
  /^(connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|connection ended unexpectedly|client was closed)/i;

/** True for everything that means "Postgres is away or restarting"; the same statement may succeed in a moment. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isConnectionFailure)) return true;
  const state = stateOf(error) ?? '';
  if (SOCKET_CODES.has(state) || RESTART_STATES.has(state) || /^08...$/.test(state)) return true;
  return CONNECTION_MESSAGES.test(error.message);
}

/** True when the database cannot be reached, or cannot do now what may succeed in a moment or when a person has helped it. */
export function isUnavailable(error: unknown): boolean {
  return isConnectionFailure(error) || UNWILLING_STATES.test(stateOf(error) ?? '');
}

/** True when the server itself refused a statement: it wrote nothing. Of any other failure nobody can say that. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && !isConnectionFailure(error);
}

/** True where repeating the whole transaction is right: while the database is unavailable, and when it lost a conflict. */
export function retryable(error: unknown): boolean {
  return isUnavailable(error) || isConflict(error);
}

/** True for a serialization conflict or a deadlock: nothing was written, and the same statement succeeds when it is repeated. */
function isConflict(error: unknown): boolean {
  return CONFLICT_STATES.has(stateOf(error) ?? '');
}

/** The SQLSTATE of an error, or Node's code. */
function stateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True when the statement ran into its time limit, or somebody cancelled it: a smaller one may succeed. */
export function isCancelled(error: unknown): boolean {
  return stateOf(error) === '57014';
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
