import { ConnectError } from '@connectrpc/connect';
import { type StatusObject, status } from '@grpc/grpc-js';
import { codeOfStatus } from './code.ts';
import { headerPairs } from './metadata.ts';
import { decodeStatusDetails } from './status-details.ts';

/** How grpc-js words a call that never left this process because there was no connection. */
const NOT_CONNECTED = /^(No connection established|Name resolution failed|Resolution note)/;
/** What grpc-js puts before the reason why the last attempt to connect failed. */
const LAST_ERROR = /Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s;

/** True when the call failed before anything of it was sent: it may be made to another peer. */
export function neverLeft(end: StatusObject): boolean {
  return end.code === status.UNAVAILABLE && NOT_CONNECTED.test(end.details);
}

/** The error of a call that ended with a status other than OK. */
export function errorOf(end: StatusObject, url: string): ConnectError {
  const code = codeOfStatus(end.code);
  const error = new ConnectError(messageFor(end, url), code, headerPairs(end.metadata));
  const bytes = end.metadata.get('grpc-status-details-bin')[0];
  if (bytes instanceof Buffer) error.details = decodeStatusDetails(bytes) ?? [];
  return error;
}

function messageFor(end: StatusObject, url: string): string {
  if (neverLeft(end)) {
    const cause = LAST_ERROR.exec(end.details)?.[1] ?? end.details;
    return `cannot reach ${url} (${cause.trim()})`;
  }
  if (end.code === status.UNAVAILABLE && /^(Connection dropped|Stream refused by server)/.test(end.details)) {
    return `the connection to ${url} was lost during the call`;
  }
  if (end.code === status.DEADLINE_EXCEEDED && end.details.startsWith('Deadline exceeded')) {
    return `${url} did not answer within the call's deadline`;
  }
  return end.details;
}
