import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../proto/gen/google/rpc/error_details_pb.js';
import { messageOf, unavailable } from '../../platform/errors.ts';
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

/** True when no peer was reached, so that nothing of the call was sent. */
export function neverSent(thrown: unknown): boolean {
  return thrown instanceof ConnectError && thrown.code === Code.Unavailable && NEVER_LEFT.test(thrown.rawMessage);
}

/** True when the connection failed, or the service said that the same call may be repeated. */
export function isUnavailable(thrown: unknown): boolean {
  return thrown instanceof ConnectError && thrown.code === Code.Unavailable;
}

/**
 * What the caller of a forwarded call is told. An answer of the service keeps its code, message and details; a failed connection
 * becomes UNAVAILABLE with a sentence, and leaves internal addresses to the cause, which is logged.
 */
export function passedOn(thrown: unknown, service: string): unknown {
  if (!(thrown instanceof ConnectError)) return thrown;
  if (thrown.code === Code.Unavailable && reasonOf(thrown) === undefined) {
    const sentence = neverSent(thrown)
      ? `the ${service} service cannot be reached right now; nothing was sent, try again in a moment`
      : `the connection to the ${service} service was lost during the call, and whether it took effect is not known; look, or repeat it with the same request_id`;
    return unavailable(service, sentence, thrown);
  }
  const error = new ConnectError(thrown.rawMessage, thrown.code, undefined, undefined, thrown);
  error.details = thrown.details.map(readable);
  return error;
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
