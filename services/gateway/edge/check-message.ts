import { type DescMessage, fromJsonString, type JsonValue } from '@bufbuild/protobuf';
import { invalidFields, messageOf, type StatusError } from '../../platform/errors.ts';
import { decodeRequest } from '../../platform/grpc/decode-request.ts';
import { refuseUnknownFields } from '../../platform/grpc/parse.ts';
import { jsonFaults } from './json-faults.ts';

/** Field name of a violation that concerns the message as a whole. */
const WHOLE = '(message)';

/**
 * Checks that bytes are a message in proto JSON, nothing unknown in it.
 * @throws StatusError INVALID_ARGUMENT that lists the faults, each with its path.
 */
export function checkJson(desc: DescMessage, bytes: Uint8Array): void {
  const text = decoded(bytes);
  if (text.trim() === '') throw whole(desc, 'the body is empty; send {} when there is nothing to say');
  try {
    fromJsonString(desc, text, { ignoreUnknownFields: false });
    return;
  } catch (thrown) {
    throw faultsOf(desc, text, messageOf(thrown));
  }
}

/** @throws StatusError INVALID_ARGUMENT when bytes are no such message, or hold fields that it does not have. */
export function checkBinary(desc: DescMessage, bytes: Uint8Array): void {
  refuseUnknownFields(desc, decodeRequest(desc, bytes));
}

function faultsOf(desc: DescMessage, text: string, refusal: string): StatusError {
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    return whole(desc, `not JSON: ${messageOf(thrown)}`);
  }
  const faults = jsonFaults(desc, json);
  // Faults of the text alone, such as a key that stands there twice, leave no trace in the parsed value.
  return faults.length > 0 ? invalidFields(faults) : whole(desc, refusal);
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw invalidFields([{ field: WHOLE, description: `the body is not UTF-8: ${messageOf(thrown)}` }]);
  }
}

function whole(desc: DescMessage, description: string): StatusError {
  const named = description.includes(desc.typeName) ? description : `${description} (expected a ${desc.typeName})`;
  return invalidFields([{ field: WHOLE, description: named }]);
}
