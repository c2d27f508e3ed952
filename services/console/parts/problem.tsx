import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../../../proto/gen/google/rpc/error_details_pb.js';

/** Codes that a call may end with although what it asked for was done: the answer was lost on its way. */
const MAY_BE_DONE: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** True for an error that does not tell whether the call took effect. */
export function isUnconfirmed(error: unknown): boolean {
  return error !== null && error !== undefined && MAY_BE_DONE.has(ConnectError.from(error).code);
}

/** An error of a call: what was wrong, where, and which fields. */
export function Problem({
  error,
  what = 'That did not work',
  unconfirmed = what,
}: {
  readonly error: unknown;
  readonly what?: string;
  /** Said in place of `what` when nobody knows whether it was done; without it the call changes nothing. */
  readonly unconfirmed?: string;
}) {
  if (error === null || error === undefined) return null;
  const known = ConnectError.from(error);
  const violations = known.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const reason = known.findDetails(ErrorInfoSchema)[0]?.reason ?? '';
  return (
    <div role="alert" className="problem">
      <p>
        <strong>{isUnconfirmed(known) ? unconfirmed : what}.</strong> {sentence(known)}
        {reason !== '' && <code className="reason">{reason}</code>}
      </p>
      {violations.length > 0 && (
        <ul>
          {violations.map(({ field, description }) => (
            <li key={`${field} ${description}`}>
              <code>{field}</code> {description}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function sentence(error: ConnectError): string {
  // A browser says no more than this when nothing listens.
  if (error.code === Code.Unknown && /fetch|network/i.test(error.rawMessage)) return 'The gateway does not answer.';
  return error.rawMessage;
}
