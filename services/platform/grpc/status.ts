import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../proto/gen/google/rpc/error_details_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { type FieldViolation, type ReasonName, StatusError, unavailable } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { isUnavailable } from '../postgres/failure.ts';

/** ErrorInfo.domain of everything this platform says. */
export const ERROR_DOMAIN = 'strategos';

/** Errors travel as HTTP/2 headers, so their text is bounded. */
const MESSAGE_CHARS_MAX = 1_024;
const VIOLATIONS_MAX = 30;
const DESCRIPTION_CHARS_MAX = 256;

/** What is known about the call in which something was thrown. */
export interface ErrorContext {
  readonly requestId: string;
  readonly logger?: Logger;
}

/** True for a name that strategos.errors.v1.ErrorReason has. */
export function isReasonName(name: string): name is ReasonName {
  return name !== 'UNSPECIFIED' && typeof (ErrorReason as Readonly<Record<string, unknown>>)[name] === 'number';
}

/**
 * Turns anything thrown into a status. StatusError keeps its code and becomes google.rpc details; a ConnectError, such as
 * one of a called service, is passed on; a lost database connection is UNAVAILABLE; everything else is logged with its
 * stack and becomes INTERNAL, which says "internal error", the request id, and never more.
 */
export function toConnectError(thrown: unknown, context?: ErrorContext): ConnectError {
  if (thrown instanceof StatusError) return fromStatusError(thrown, context);
  if (thrown instanceof ConnectError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new ConnectError('the call was cancelled', Code.Canceled, undefined, undefined, thrown);
  }
  if (isUnavailable(thrown)) {
    return fromStatusError(
      unavailable('postgres', 'a dependency of this service cannot be reached right now; try again', thrown),
      context,
    );
  }
  context?.logger?.error({ err: thrown, requestId: context.requestId }, 'internal error');
  const requestId = context?.requestId ?? '';
  const message = requestId === '' ? 'internal error' : `internal error; quote request id ${requestId}`;
  return fromStatusError(
    new StatusError('Internal', 'INTERNAL', message, { metadata: { request_id: requestId }, cause: thrown }),
    context,
  );
}

function fromStatusError(error: StatusError, context: ErrorContext | undefined): ConnectError {
  // The type says so already; a cast upstream must not put an undocumented reason on the wire.
  if (!isReasonName(error.reason)) {
    return toConnectError(
      new Error(`"${String(error.reason)}" is not a value of ErrorReason`, { cause: error }),
      context,
    );
  }
  const connectError = new ConnectError(
    bounded(error.message, MESSAGE_CHARS_MAX),
    Code[error.code],
    undefined,
    undefined,
    error,
  );
  connectError.details.push({
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { reason: error.reason, domain: ERROR_DOMAIN, metadata: { ...error.metadata } }),
  });
  if (error.violations.length > 0) {
    const fieldViolations = error.violations.slice(0, VIOLATIONS_MAX).map((violation) => ({
      field: bounded(violation.field, DESCRIPTION_CHARS_MAX),
      description: bounded(violation.description, DESCRIPTION_CHARS_MAX),
    }));
    connectError.details.push({ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) });
  }
  if (error.retryAfterMs !== undefined) {
    connectError.details.push({
      desc: RetryInfoSchema,
      value: create(RetryInfoSchema, { retryDelay: durationFromMs(error.retryAfterMs) }),
    });
  }
  if (context !== undefined && context.requestId !== '') {
    connectError.details.push({
      desc: RequestInfoSchema,
      value: create(RequestInfoSchema, { requestId: context.requestId }),
    });
  }
  return connectError;
}

function bounded(text: string, charsMax: number): string {
  const wellFormed = text.toWellFormed();
  return wellFormed.length <= charsMax ? wellFormed : `${wellFormed.slice(0, charsMax - 1).toWellFormed()}…`;
}

/** The ErrorReason name that the error carries, such as "EXECUTOR_DISABLED"; undefined when it carries none. */
export function reasonOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

/** ErrorInfo.metadata of the error; empty when it carries none. */
export function reasonMetadataOf(error: ConnectError): Readonly<Record<string, string>> {
  return error.findDetails(ErrorInfoSchema)[0]?.metadata ?? {};
}

/** The refused fields that the error names; empty when it names none. */
export function violationsOf(error: ConnectError): FieldViolation[] {
  return error
    .findDetails(BadRequestSchema)
    .flatMap((detail) => detail.fieldViolations.map(({ field, description }) => ({ field, description })));
}

/** When the call may be repeated, in milliseconds; undefined when the error does not say. */
export function retryAfterMsOf(error: ConnectError): number | undefined {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay === undefined ? undefined : Number(delay.seconds) * 1_000 + Math.round(delay.nanos / 1_000_000);
}
