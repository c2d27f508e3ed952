import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../proto/gen/google/rpc/error_details_pb.js';
import { messageOf, StatusError, unavailable } from '../../platform/errors.ts';
import { reasonOf } from '../../platform/grpc/status.ts';

/** Details whose content is also shown readable in Connect JSON. */
const READABLE_DETAILS: readonly DescMessage[] = [
  ErrorInfoSchema,
  BadRequestSchema,
  RetryInfoSchema,
  RequestInfoSchema,
];

/** How the transport words a call that never left this process. */
const NEVER_LEFT = /^cannot reach /;
const URL_PATTERN = /https?:\/\/[^\s)]+/g;

/** Failures that, when no service gives a reason with them, are defects for the log and not for the caller. */
const UNEXPLAINED: readonly Code[] = [Code.Internal, Code.Unknown, Code.DataLoss];

/** True when no peer was reached, so that nothing of the call was sent. */
export function neverSent(thrown: unknown): boolean {
  return isUnavailable(thrown) && madeHere(thrown) && NEVER_LEFT.test(thrown.rawMessage);
}

/** True when a service, and not the way to it, says that the same call may be made again. */
export function mayBeRepeated(thrown: unknown): boolean {
  return isUnavailable(thrown) && !madeHere(thrown) && reasonOf(thrown) === 'UNAVAILABLE';
}

/** True when the connection failed, or the service is not available. */
export function isUnavailable(thrown: unknown): thrown is ConnectError {
  return thrown instanceof ConnectError && thrown.code === Code.Unavailable;
}

/**
 * What the caller of a forwarded call is told. An answer of the service keeps its code, message and details; a failure on the way
 * to it becomes a sentence, and leaves internal addresses to the cause, which is logged.
 */
export function passedOn(thrown: unknown, service: string): unknown {
  if (!(thrown instanceof ConnectError)) return thrown;
  if (madeHere(thrown)) return failureOnTheWay(thrown, service);
  const error = new ConnectError(thrown.rawMessage, thrown.code, undefined, undefined, thrown);
  error.details = thrown.details.map(readable);
  return error;
}

/** What came over the wire has details without descriptors; what has none, or some with, was made by the transport. */
function madeHere(error: ConnectError): boolean {
  return error.details.every((detail) => 'desc' in detail);
}

function failureOnTheWay(error: ConnectError, service: string): unknown {
  if (error.code === Code.Unavailable) {
    const sentence = neverSent(error)
      ? `the ${service} service cannot be reached right now; nothing was sent, try again in a moment`
      : `the connection to the ${service} service was lost during the call, and whether it took effect is not known; look, or repeat it with the same request_id`;
    return unavailable(service, sentence, error);
  }
  if (UNEXPLAINED.includes(error.code)) {
    return new Error(`the ${service} service failed without a reason: ${error.message}`, { cause: error });
  }
  const message = error.rawMessage.replaceAll(URL_PATTERN, `the ${service} service`);
  if (!(error.cause instanceof StatusError)) return new ConnectError(message, error.code, undefined, undefined, error);
  const { code, reason, violations, retryAfterMs } = error.cause;
  const { url: _, ...metadata } = error.cause.metadata;
  const facts = { metadata, violations, cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return new StatusError(code, reason, message, facts);
}

function readable(detail: ConnectError['details'][number]): ConnectError['details'][number] {
  if ('desc' in detail) return detail;
  const desc = READABLE_DETAILS.find((known) => known.typeName === detail.type);
  if (desc === undefined) return detail;
  try {
    return { desc, value: fromBinary(desc, detail.value) };
  } catch (thrown) {
    // The bytes are passed on as they are: an error must not be lost over an illegible detail of it.
    return { ...detail, debug: `cannot be read: ${messageOf(thrown)}` };
  }
}
