import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { invalidFields, messageOf, type StatusError } from '../errors.ts';
import { isWellFormed } from './wire-check.ts';
import { wireFaults } from './wire-faults.ts';

/**
 * Decodes a request. Unknown fields are left to `refuseUnknownFields`.
 * @throws StatusError INVALID_ARGUMENT that names every field with another wire type than its own, that goes on behind the end
 *   of what holds it, or that is a text and not UTF-8.
 */
export function decodeRequest<D extends DescMessage>(desc: D, bytes: Uint8Array): MessageShape<D> {
  if (!isWellFormed(desc, bytes)) {
    const faults = wireFaults(desc, bytes);
    if (faults.length > 0) throw invalidFields(faults);
  }
  try {
    return fromBinary(desc, bytes);
  } catch (thrown) {
    throw refusal(desc, bytes, thrown);
  }
}

function refusal(desc: DescMessage, bytes: Uint8Array, thrown: unknown): StatusError {
  const faults = wireFaults(desc, bytes);
  if (faults.length > 0) return invalidFields(faults);
  return invalidFields([{ field: '(message)', description: `not a ${desc.typeName}: ${messageOf(thrown)}` }]);
}
