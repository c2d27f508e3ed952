import { DatabaseError } from 'pg';

/** Node's codes for a peer that is away or went away, or for a connection that this machine has nothing left to make with. */
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
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'ENOBUFS',
]);

/** admin_shutdown, crash_shutdown, cannot_connect_now, and too_many_connections while a restart is piling up clients. */
const RESTART_STATES = new Set(['57P01', '57P02', '57P03', '53300']);

/** The server is there and cannot write anything now: read-only after a failover, no disk, memory or connections left, about to stop. */
const UNWILLING_STATES = /^(?:25006|53...|57P..)$/;

/** What may be about some of the rows alone: a lock that is not to be had, a time limit, a cancellation, a file that cannot be read. */
const HINDERED_STATES = /^(?:55006|55P03|57014|58...)$/;

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

/** True when the database cannot be reached, or refuses whatever is written: waiting helps, and nothing else. */
export function isAway(error: unknown): boolean {
  return isConnectionFailure(error) || UNWILLING_STATES.test(stateOf(error) ?? '');
}

/** True for what may succeed in a moment, or when a person has helped the database; in a statement of many rows some may not. */
export function isUnavailable(error: unknown): boolean {
  return isAway(error) || HINDERED_STATES.test(stateOf(error) ?? '');
}

/** True when the server itself refused a statement: it wrote nothing. Of any other failure nobody can say that. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && !isConnectionFailure(error);
}

/** True where repeating the whole transaction is right: while the database is away, and when it lost a conflict. */
export function retryable(error: unknown): boolean {
  return isAway(error) || isConflict(error);
}

/** True for a serialization conflict or a deadlock: nothing was written, and the same statement succeeds when it is repeated. */
function isConflict(error: unknown): boolean {
  return CONFLICT_STATES.has(stateOf(error) ?? '');
}

/** The SQLSTATE of an error, or Node's code. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
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
