import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { nearestName } from './suggestion.ts';

/** Names listed in one description; the rest is counted. */
const NAMES_LISTED_MAX = 24;
const SHOWN_CHARS_MAX = 40;

const SCALAR_EXPECTATIONS: Record<ScalarType, string> = {
  [ScalarType.DOUBLE]: 'a number',
  [ScalarType.FLOAT]: 'a number',
  [ScalarType.INT32]: 'a whole number of 32 bits',
  [ScalarType.SINT32]: 'a whole number of 32 bits',
  [ScalarType.SFIXED32]: 'a whole number of 32 bits',
  [ScalarType.UINT32]: 'a whole number from 0, of 32 bits',
  [ScalarType.FIXED32]: 'a whole number from 0, of 32 bits',
  [ScalarType.INT64]: 'a whole number of 64 bits, as a string or number',
  [ScalarType.SINT64]: 'a whole number of 64 bits, as a string or number',
  [ScalarType.SFIXED64]: 'a whole number of 64 bits, as a string or number',
  [ScalarType.UINT64]: 'a whole number from 0, of 64 bits, as a string or number',
  [ScalarType.FIXED64]: 'a whole number from 0, of 64 bits, as a string or number',
  [ScalarType.BOOL]: 'true or false',
  [ScalarType.STRING]: 'a string',
  [ScalarType.BYTES]: 'base64 in a string',
};

const WELL_KNOWN_EXPECTATIONS: Readonly<Record<string, string>> = {
  'google.protobuf.Timestamp': 'a time such as "2024-05-01T09:30:00Z"',
  'google.protobuf.Duration': 'a duration in seconds such as "1.5s"',
  'google.protobuf.FieldMask': 'field paths in one string, separated by commas',
};

/** Says that `value` was given where one value of `field` is expected: "expected a string, got the number 7". */
export function expectation(field: DescField, value: unknown): string {
  if (field.enum !== undefined) return enumExpectation(field.enum, value);
  if (field.message !== undefined) return messageExpectation(field.message, value);
  return `expected ${field.scalar === undefined ? 'another value' : SCALAR_EXPECTATIONS[field.scalar]}, got ${shown(value)}`;
}

export function messageExpectation(message: DescMessage, value: unknown): string {
  return `expected ${WELL_KNOWN_EXPECTATIONS[message.typeName] ?? 'an object'}, got ${shown(value)}`;
}

/** Messages that are not written as an object with their fields. */
export function isWellKnown(message: DescMessage): boolean {
  return message.typeName.startsWith('google.protobuf.');
}

function enumExpectation(descEnum: DescEnum, value: unknown): string {
  const names = descEnum.values.map((entry) => entry.name);
  if (typeof value !== 'string') return `expected the name of a ${descEnum.name}, got ${shown(value)}`;
  const prefix = descEnum.sharedPrefix?.toUpperCase() ?? '';
  // The zero value means "not said" and is not offered.
  const offered = descEnum.values.filter((entry) => entry.number !== 0).map((entry) => entry.name);
  const meant = nearestName(value.toUpperCase().startsWith(prefix) ? value : `${prefix}${value}`, offered);
  const known = offered.length === 0 ? names : offered;
  return `unknown ${descEnum.name} ${shown(value)}${suggested(meant)}; known are ${listed(known)}`;
}

/** Says that a message has no field of that name. */
export function unknownField(message: DescMessage, name: string): string {
  const known = message.fields.map((field) => field.jsonName);
  if (known.length === 0) return `unknown field; ${message.name} has no fields`;
  const meant = nearestName(name, known);
  return meant === undefined
    ? `unknown field; ${message.name} has ${listed(known)}`
    : `unknown field${suggested(meant)}`;
}

function suggested(name: string | undefined): string {
  return name === undefined ? '' : `, did you mean ${JSON.stringify(name)}?`;
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_LISTED_MAX;
  return names.slice(0, NAMES_LISTED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** A value as people should see it: its JSON type, and itself where it is short. */
export function shown(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return `the number ${value}`;
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}
