import { Code, ConnectError } from '@connectrpc/connect';
import { type Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { StatusError, unavailable } from '../errors.ts';
import { codeOfStatus, statusOfCode } from './code.ts';
import type { GrpcServerLimits } from './server-limits.ts';
import { type ErrorContext, toConnectError } from './status.ts';
import { detailsOf, encodeStatus } from './status-details.ts';

/** The status that grpc-js sends at the end of a call. */
export type CallEnd = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** The end of a failed call: code, message, and the details as google.rpc.Status in the trailer. */
export function failedEnd(error: ConnectError, trailer: Metadata): CallEnd {
  // A lone surrogate would make grpc-js throw while it escapes the message.
  const message = error.rawMessage.toWellFormed();
  const details = detailsOf(error);
  if (details.length > 0) {
    trailer.set('grpc-status-details-bin', Buffer.from(encodeStatus(error.code, message, details)));
  }
  return { code: statusOfCode(error.code), details: message, metadata: trailer };
}

/** Why calls end when this server stops. */
export function stoppingError(context?: ErrorContext): ConnectError {
  return toConnectError(unavailable('server', 'this replica is stopping; call again'), context);
}

/** What grpc-js ended a call with by itself, as an error of ours. */
export function libraryError(end: CallEnd, limits: GrpcServerLimits, context: ErrorContext): ConnectError {
  if (end.code === status.DEADLINE_EXCEEDED) {
    const error = new StatusError('DeadlineExceeded', 'DEADLINE_EXCEEDED', 'the call ran out of its deadline');
    return toConnectError(error, context);
  }
  if (end.code === status.RESOURCE_EXHAUSTED) {
    const message = `a message to this port may have at most ${limits.receiveBytesMax} bytes; send less at once`;
    const metadata = { bytes_max: String(limits.receiveBytesMax) };
    return toConnectError(new StatusError('ResourceExhausted', 'MESSAGE_TOO_LARGE', message, { metadata }), context);
  }
  // INTERNAL of the library is compression that cannot be undone or a write to a dead stream: the peer's doing.
  return new ConnectError(end.details, end.code === status.INTERNAL ? Code.InvalidArgument : codeOfStatus(end.code));
}
