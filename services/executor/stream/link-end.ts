import { Code, ConnectError } from '@connectrpc/connect';
import { reasonOf } from '../../platform/grpc/status.ts';
import type { LinkEnd } from './link-state.ts';

/** What the error that ended a call means for the link. */
export function linkEndOf(thrown: unknown): LinkEnd {
  const error = ConnectError.from(thrown);
  const reason = reasonOf(error);
  const text = error.rawMessage === '' ? Code[error.code] : error.rawMessage;
  if (error.code === Code.Unauthenticated || error.code === Code.PermissionDenied) {
    return { kind: 'refused', reason: reason === undefined ? text : `${text} (${reason})` };
  }
  if (reason === 'STREAM_SUPERSEDED') return { kind: 'superseded', host: '', journalId: '' };
  return { kind: 'lost', reason: text };
}
