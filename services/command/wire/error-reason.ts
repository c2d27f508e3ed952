import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';

const numbers = new Map<string, ErrorReason>(
  Object.entries(ErrorReason).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value] as const] : [])),
);

/** The enum value of a reason's name; UNSPECIFIED for a name that this release does not know. */
export function reasonNumber(name: string): ErrorReason {
  return numbers.get(name) ?? ErrorReason.UNSPECIFIED;
}
