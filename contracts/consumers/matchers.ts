import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { MatchersV3 } from '@pact-foundation/pact';
import { isObject } from '../golden/frame.ts';

const { boolean, eachLike, integer, like, number, regex } = MatchersV3;

/** Whole strings, as the verifier compares them. */
const TIMESTAMP = String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$`;
const DURATION = String.raw`^(?!0s$)\d+(\.\d{1,9})?s$`;
const WHOLE_NUMBER = String.raw`^-?\d+$`;

/**
 * A message's JSON as what a consumer needs of it: each field that stands in `json` must be there and readable as what its
 * descriptor says. Values may differ; a name of an enum must be one that the consumer knows.
 */
export function needsOf(desc: DescMessage, json: JsonObject): Readonly<Record<string, unknown>> {
  const needs = Object.entries(json).map(([name, value]) => {
    const field = desc.fields.find((each) => each.jsonName === name);
    if (field === undefined) throw new Error(`${desc.typeName} has no field ${name}`);
    return [name, needOf(field, value)] as const;
  });
  return Object.fromEntries(needs);
}

function needOf(field: DescField, value: JsonValue): unknown {
  if (field.fieldKind === 'map') return like(value);
  if (field.fieldKind === 'list') {
    const [first] = Array.isArray(value) ? value : [];
    return first === undefined ? value : eachLike(single(field, first));
  }
  return single(field, value);
}

function single(field: DescField, value: JsonValue): unknown {
  if (field.enum !== undefined && typeof value === 'string') return regex(namesOf(field.enum), value);
  if (field.message !== undefined) return ofMessage(field.message, value);
  if (typeof value === 'boolean') return boolean(value);
  if (typeof value === 'number') return isFraction(field) ? number(value) : integer(value);
  // 64-bit numbers are texts in JSON.
  const isNumber = typeof value === 'string' && field.scalar !== undefined && isWide(field);
  return isNumber ? regex(WHOLE_NUMBER, value) : like(value);
}

function isFraction({ scalar }: DescField): boolean {
  return scalar === ScalarType.DOUBLE || scalar === ScalarType.FLOAT;
}

function isWide(field: DescField): boolean {
  const WIDE: readonly (number | undefined)[] = [3, 4, 6, 16, 18];
  return WIDE.includes(field.scalar);
}

function ofMessage(desc: DescMessage, value: JsonValue): unknown {
  if (typeof value === 'string') {
    return regex(desc.typeName === 'google.protobuf.Duration' ? DURATION : TIMESTAMP, value);
  }
  return isObject(value) ? needsOf(desc, value) : like(value);
}

function namesOf(desc: DescEnum): string {
  return `^(${desc.values.map(({ name }) => name).join('|')})$`;
}
