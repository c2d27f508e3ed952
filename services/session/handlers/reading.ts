import { notFound, StatusError } from '../../platform/errors.ts';
import type { SessionReader, SessionView } from '../domain/repository.ts';
import type { SessionState } from '../domain/session-state.ts';

/** The session as it is now. @throws NOT_FOUND, also for one of another account. */
export async function readSession(reader: SessionReader, accountId: string, id: string): Promise<SessionView> {
  const view = await reader.get(accountId, id.toLowerCase());
  if (view === undefined) throw notFound('session', id);
  return view;
}

/** FAILED_PRECONDITION: what was asked for is not possible in this state; `instead` says what to do. */
export function illegalState(id: string, state: SessionState, instead: string): StatusError {
  return new StatusError('FailedPrecondition', 'STATE_ILLEGAL', `session ${id} is ${state}: ${instead}`, {
    metadata: { session_id: id, state },
  });
}
