import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';

/** How a message stands on the wire: its fields by number. */
export interface WireShape {
  readonly typeName: string;
  readonly fields: ReadonlyMap<number, WireField>;
}

export interface WireField {
  readonly name: string;
  readonly wireType: WireType;
  /** A list of numbers, which may also come as one run of bytes. */
  readonly packable: boolean;
  readonly listed: boolean;
  /** The bytes must be UTF-8. */
  readonly text: boolean;
  /** The message that the bytes must be, of a map its entry; found when it is needed, because messages nest in themselves. */
  readonly inner: (() => WireShape) | undefined;
}

const shapes = new WeakMap<DescMessage, WireShape>();

/** The shape of a message, worked out once. */
export function wireShape(desc: DescMessage): WireShape {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    const fields = new Map(desc.fields.map((field) => [field.number, wireField(field)]));
    shape = { typeName: desc.typeName, fields };
    shapes.set(desc, shape);
  }
  return shape;
}

function wireField(field: DescField): WireField {
  const { name } = field;
  const listed = field.fieldKind === 'list';
  if (field.fieldKind === 'map') {
    const key = scalarField('key', field.mapKey);
    const value =
      field.message === undefined ? scalarField('value', field.scalar) : messageField('value', field.message);
    const entry = { typeName: `an entry of ${name}`, fields: new Map([[1, key] as const, [2, value] as const]) };
    return { ...bytesField(name), inner: () => entry };
  }
  if (field.message !== undefined) return { ...messageField(name, field.message), listed };
  const scalar = scalarField(name, field.scalar);
  return { ...scalar, listed, packable: listed && scalar.wireType !== WireType.LengthDelimited };
}

function messageField(name: string, desc: DescMessage): WireField {
  return { ...bytesField(name), inner: () => wireShape(desc) };
}

function bytesField(name: string): WireField {
  return { name, wireType: WireType.LengthDelimited, packable: false, listed: false, text: false, inner: undefined };
}

/** Undefined stands for an enum. */
function scalarField(name: string, scalar: ScalarType | undefined): WireField {
  return { ...bytesField(name), wireType: scalarWireType(scalar), text: scalar === ScalarType.STRING };
}

function scalarWireType(scalar: ScalarType | undefined): WireType {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
    case ScalarType.FLOAT:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}
