import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../../../proto/gen/google/rpc/error_details_pb.js';

/** An error of a call: what was wrong, where, and which fields. */
export function Problem({ error, what }: { readonly error: unknown; readonly what?: string }) {
  if (error === null || error === undefined) return null;
  const known = ConnectError.from(error);
  const violations = known.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const reason = known.findDetails(ErrorInfoSchema)[0]?.reason ?? '';
  return (
    <div role="alert" className="problem">
      <p>
        <strong>{what ?? 'That did not work'}.</strong> {sentence(known)}
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
