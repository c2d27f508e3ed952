import { create, type DescEnum, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';

/**
 * The same message under another version of its descriptors, as a program has it whose source was changed along with the protos:
 * a field is found again by its name, or, when it was renamed, by its number. What has no place any more is left out; a value of
 * another type is converted as a person would.
 */
export function reshape(message: Message, from: DescMessage, to: DescMessage): Message {
  const source = reflect(from, message);
  const target = reflect(to, create(to));
  for (const field of from.fields) {
    if (!source.isSet(field)) continue;
    const place = placeOf(field, to);
    if (place !== undefined) carry(source, field, target, place);
  }
  return target.message;
}

function placeOf(field: DescField, to: DescMessage): DescField | undefined {
  const named = to.fields.find((each) => each.name === field.name);
  return named ?? to.fields.find((each) => each.number === field.number && isRenamed(each, field));
}

/** A number that another field of the old message owns by name was given to that one, not to this. */
function isRenamed(place: DescField, field: DescField): boolean {
  return !field.parent.fields.some((other) => other.name === place.name);
}

function carry(source: ReflectMessage, field: DescField, target: ReflectMessage, place: DescField): void {
  const values = valuesOf(source, field);
  const shaped = values.map((value) => convert(value, field, place)).filter((value) => value !== undefined);
  if (field.fieldKind === 'map') {
    if (place.fieldKind !== 'map') return;
    const entries = target.get(place);
    for (const [key, value] of source.get(field)) entries.set(key, convert(value, field, place));
  } else if (place.fieldKind === 'list') {
    const items = target.get(place);
    for (const value of shaped) items.add(value);
  } else if (place.fieldKind !== 'map' && shaped[0] !== undefined) {
    target.set(place, shaped[0]);
  }
}

function valuesOf(source: ReflectMessage, field: DescField): unknown[] {
  if (field.fieldKind === 'list') return [...source.get(field)];
  return field.fieldKind === 'map' ? [] : [source.get(field)];
}

function convert(value: unknown, from: DescField, to: DescField): unknown {
  const target = elementOf(to);
  if (target.message !== undefined) {
    const origin = elementOf(from).message;
    if (origin === undefined || !isReflected(value)) return reflect(target.message, create(target.message));
    return reflect(target.message, reshape(value.message, origin, target.message));
  }
  if (target.enum !== undefined) return enumNumber(value, elementOf(from).enum, target.enum);
  return scalar(isReflected(value) ? '' : value, target.scalar ?? ScalarType.STRING);
}

function elementOf(field: DescField) {
  return { message: field.message, enum: field.enum, scalar: field.scalar } as const;
}

function enumNumber(value: unknown, from: DescEnum | undefined, to: DescEnum): number {
  const before = from?.values.find((each) => each.number === value);
  const named = to.values.find((each) => each.name === before?.name);
  return named?.number ?? (to.values.some((each) => each.number === value) ? Number(value) : 0);
}

function scalar(value: unknown, type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return String(value);
    case ScalarType.BOOL:
      return value !== '' && value !== 0 && value !== 0n && value !== false;
    case ScalarType.BYTES:
      return value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return BigInt(Math.trunc(numberOf(value)));
    default:
      return numberOf(value);
  }
}

function numberOf(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}

function isReflected(value: unknown): value is ReflectMessage {
  return typeof value === 'object' && value !== null && 'message' in value && 'desc' in value;
}
