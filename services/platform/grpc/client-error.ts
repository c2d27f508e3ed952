import { ConnectError } from '@connectrpc/connect';
import { type StatusObject, status } from '@grpc/grpc-js';
import { StatusError, unavailable } from '../errors.ts';
import { codeOfStatus } from './code.ts';
import { headerPairs } from './metadata.ts';
import { toConnectError } from './status.ts';
import { decodeStatusDetails } from './status-details.ts';

// grpc-js tells its own failures from a server's answer by nothing but their wording; a test holds each of these.

/** No connection: nothing of the call left this process. */
const NOT_CONNECTED = /^(No connection established|Name resolution failed)/;
/** What grpc-js puts before the reason why the last attempt to connect failed. */
const LAST_ERROR = /Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s;
const CONNECTION_LOST =
  /^(Connection dropped|Stream refused by server|read |write |Write |socket hang up|Channel closed)/;
const TOO_LARGE = /^(?:Attempted to send message with a size|Received message) larger than (?:max \(\d+ vs )?(\d+)/;
const NOT_GRPC = /^Received HTTP status code (\d+)/;

/** True when the call failed before anything of it was sent: it may be made to another peer. */
export function neverLeft(end: StatusObject): boolean {
  return end.code === status.UNAVAILABLE && NOT_CONNECTED.test(end.details);
}

/** The error of a call that ended with a status other than OK: the server's own, or what happened on the way in one sentence. */
export function errorOf(end: StatusObject, url: string): ConnectError {
  const bytes = end.metadata.get('grpc-status-details-bin')[0];
  const local = bytes === undefined ? localError(end, url) : undefined;
  if (local !== undefined) return toConnectError(local);
  const metadata = headerPairs(end.metadata).filter(([key]) => !key.startsWith('grpc-'));
  const error = new ConnectError(end.details, codeOfStatus(end.code), metadata);
  if (bytes instanceof Buffer) error.details = decodeStatusDetails(bytes) ?? [];
  return error;
}

function localError({ code, details }: StatusObject, url: string): StatusError | undefined {
  if (code === status.UNAVAILABLE && NOT_CONNECTED.test(details)) {
    const cause = LAST_ERROR.exec(details)?.[1] ?? details;
    return unavailable(url, `cannot reach ${url} (${cause.trim()})`);
  }
  if (code === status.UNAVAILABLE && CONNECTION_LOST.test(details)) {
    return unavailable(url, `the connection to ${url} was lost during the call (${details})`);
  }
  if (code === status.DEADLINE_EXCEEDED) {
    const metadata = { url };
    return new StatusError('DeadlineExceeded', 'DEADLINE_EXCEEDED', `${url} did not answer in time`, { metadata });
  }
  const bytesMax = TOO_LARGE.exec(details)?.[1];
  if (code === status.RESOURCE_EXHAUSTED && bytesMax !== undefined) {
    const metadata = { bytes_max: bytesMax };
    const message = `a message to or from ${url} is larger than the ${bytesMax} bytes that are allowed here`;
    return new StatusError('ResourceExhausted', 'MESSAGE_TOO_LARGE', message, { metadata });
  }
  const httpStatus = NOT_GRPC.exec(details)?.[1];
  if (httpStatus !== undefined) {
    return unavailable(url, `what answers at ${url} is not a gRPC server (HTTP ${httpStatus}); check the address`);
  }
  return undefined;
}
