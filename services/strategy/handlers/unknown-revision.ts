import { StatusError } from '../../platform/errors.ts';

/** OUT_OF_RANGE for a revision that the account has not come to. */
export function unknownRevision(revision: number, newest: number): StatusError {
  return new StatusError(
    'OutOfRange',
    'REVISION_UNKNOWN',
    `there is no revision ${revision} yet: the account is at ${newest}`,
    { metadata: { revision: String(revision), newest: String(newest) } },
  );
}
