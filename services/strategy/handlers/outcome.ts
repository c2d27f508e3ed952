import { notFound, StatusError } from '../../platform/errors.ts';
import type { Revision, WriteOutcome } from '../domain/strategy-book.ts';

/** What a write was about, for its errors. */
interface Subject {
  /** As the caller named it. */
  readonly strategy: string;
  /** The name that the definition asks for. */
  readonly name?: string;
  readonly fromRevision?: number;
  readonly requestId?: string;
}

/** The revision that stands after a write. @throws NOT_FOUND, ALREADY_EXISTS or ABORTED for one that could not be done. */
export function revisionOf(
  outcome: WriteOutcome,
  { strategy, name = '', fromRevision = 0, requestId = '' }: Subject,
): Revision {
  switch (outcome.kind) {
    case 'written':
    case 'kept':
      return outcome.revision;
    case 'not_found':
      throw notFound('strategy', strategy);
    case 'name_taken':
      throw new StatusError('AlreadyExists', 'NAME_TAKEN', `a strategy named "${name}" exists; take another name`, {
        metadata: { resource: 'strategy', name },
      });
    case 'request_reused':
      throw new StatusError(
        'AlreadyExists',
        'REQUEST_ID_REUSED',
        `the request_id "${requestId}" was used with another body; take another one`,
        { metadata: { request_id: requestId, strategy_id: outcome.strategyId } },
      );
    case 'stale':
      throw new StatusError(
        'Aborted',
        'REVISION_STALE',
        `"${strategy}" is at revision ${outcome.current}, the change was made from ${fromRevision}; read it again and repeat the change`,
        { metadata: { strategy, revision: String(fromRevision), current: String(outcome.current) } },
      );
    default:
      return outcome satisfies never;
  }
}
