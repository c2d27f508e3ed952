import { Code } from '@connectrpc/connect';
import { status } from '@grpc/grpc-js';

// Connect's and grpc-js's codes have the same numbers and are two enums to the type checker.

const STATUS_BY_CODE: Readonly<Record<Code, status>> = {
  [Code.Canceled]: status.CANCELLED,
  [Code.Unknown]: status.UNKNOWN,
  [Code.InvalidArgument]: status.INVALID_ARGUMENT,
  [Code.DeadlineExceeded]: status.DEADLINE_EXCEEDED,
  [Code.NotFound]: status.NOT_FOUND,
  [Code.AlreadyExists]: status.ALREADY_EXISTS,
  [Code.PermissionDenied]: status.PERMISSION_DENIED,
  [Code.ResourceExhausted]: status.RESOURCE_EXHAUSTED,
  [Code.FailedPrecondition]: status.FAILED_PRECONDITION,
  [Code.Aborted]: status.ABORTED,
  [Code.OutOfRange]: status.OUT_OF_RANGE,
  [Code.Unimplemented]: status.UNIMPLEMENTED,
  [Code.Internal]: status.INTERNAL,
  [Code.Unavailable]: status.UNAVAILABLE,
  [Code.DataLoss]: status.DATA_LOSS,
  [Code.Unauthenticated]: status.UNAUTHENTICATED,
};

const CODE_BY_STATUS: ReadonlyMap<number, Code> = new Map(
  Object.values(Code)
    .filter((code) => typeof code === 'number')
    .map((code) => [STATUS_BY_CODE[code], code]),
);

/** The gRPC status of a Connect code. */
export function statusOfCode(code: Code): status {
  return STATUS_BY_CODE[code];
}

/** The Connect code of a gRPC status; Unknown for numbers that gRPC does not have. */
export function codeOfStatus(grpcStatus: number): Code {
  return CODE_BY_STATUS.get(grpcStatus) ?? Code.Unknown;
}
