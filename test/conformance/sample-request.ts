import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from '@bufbuild/protobuf';

/** What a field holds in a request that nothing is wrong with; undefined leaves it out. */
export type SampleOf = (parent: DescMessage, field: DescField) => JsonValue | undefined;

const NESTED_MAX = 8;

/**
 * A request with every field set that `sampleOf` gives a value for, built from the descriptor alone. Of a oneof the case
 * `chosen` is set when it is one of this message's, otherwise the first one.
 */
export function sampleMessage(desc: DescMessage, sampleOf: SampleOf, chosen?: DescField, depth = 0): JsonObject {
  if (depth > NESTED_MAX) throw new Error(`${desc.typeName} is nested in itself; give it a sample`);
  const message: JsonObject = {};
  for (const field of desc.fields) {
    if (field.oneof !== undefined) {
      const preferred = chosen?.oneof === field.oneof ? chosen : field.oneof.fields[0];
      if (preferred !== field) continue;
    }
    const value = sampleValue(desc, field, sampleOf, depth);
    if (value !== undefined) message[field.jsonName] = value;
  }
  return message;
}

function sampleValue(parent: DescMessage, field: DescField, sampleOf: SampleOf, depth: number): JsonValue | undefined {
  const given = sampleOf(parent, field);
  if (given !== undefined) return given === OMITTED ? undefined : given;
  switch (field.fieldKind) {
    case 'scalar':
      return sampleScalar(field.scalar);
    case 'enum':
      return field.enum.values.find(({ number }) => number !== 0)?.name ?? 0;
    case 'message':
      return sampleInner(field.message, sampleOf, depth);
    case 'list':
      if (field.listKind === 'message') return [sampleInner(field.message, sampleOf, depth)];
      if (field.listKind === 'enum') return [field.enum.values.find(({ number }) => number !== 0)?.name ?? 0];
      return [sampleScalar(field.scalar)];
    case 'map':
      return { region: 'fra' };
  }
}

/** Says that a field has no place in the sample. */
export const OMITTED = 'omitted from the sample';

function sampleInner(desc: DescMessage, sampleOf: SampleOf, depth: number): JsonValue {
  if (desc.typeName === 'google.protobuf.Duration') return '5s';
  if (desc.typeName === 'google.protobuf.Timestamp') return new Date(Date.now() + 3_600_000).toISOString();
  return sampleMessage(desc, sampleOf, undefined, depth + 1);
}

function sampleScalar(scalar: ScalarType): JsonValue {
  if (scalar === ScalarType.STRING) return 'sample-1';
  if (scalar === ScalarType.BOOL) return true;
  if (scalar === ScalarType.BYTES) return 'AAAA';
  return 1;
}
