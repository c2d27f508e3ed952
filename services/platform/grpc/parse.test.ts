import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema, ListValueSchema, type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { StatusError } from '../errors.ts';
import { refuseUnknownFields, unknownFields } from './parse.ts';

/** Bytes of a field that no message here has. */
function unknownField(number: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.Varint).uint32(1).finish();
}

function withUnknown(bytes: Uint8Array, number: number): Uint8Array {
  return new Uint8Array([...bytes, ...unknownField(number)]);
}

/** A field that holds a message, length first. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
}

describe('unknown fields', () => {
  test('of a message without any: none', () => {
    const file = create(FileDescriptorProtoSchema, { name: 'a', messageType: [{ name: 'M', field: [{ name: 'f' }] }] });
    const read = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file));
    expect(unknownFields(FileDescriptorProtoSchema, read)).toEqual([]);
    expect(() => refuseUnknownFields(FileDescriptorProtoSchema, read)).not.toThrow();
  });

  test('are found at the top, each number once', () => {
    const bytes = withUnknown(withUnknown(unknownField(900), 901), 900);
    expect(unknownFields(ListValueSchema, fromBinary(ListValueSchema, bytes))).toEqual([
      { field: '#900', description: 'field number 900 is not known in google.protobuf.ListValue' },
      { field: '#901', description: 'field number 901 is not known in google.protobuf.ListValue' },
    ]);
  });

  test('are found in lists, oneofs and maps, with the way to them', () => {
    const strange: Value = fromBinary(ValueSchema, unknownField(77));
    const list = create(ValueSchema, { kind: { case: 'listValue', value: { values: [{}, strange] } } });
    const struct = create(ValueSchema, {
      kind: { case: 'structValue', value: { fields: { size: strange, list } } },
    });
    expect(unknownFields(ValueSchema, struct).map((violation) => violation.field)).toEqual([
      'struct_value.fields["size"].#77',
      'struct_value.fields["list"].list_value.values[1].#77',
    ]);
  });

  test('survive the wire and are refused as INVALID_ARGUMENT', () => {
    const bytes = field(4, withUnknown(field(2, unknownField(500)), 501));
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    const refuse = (): void => refuseUnknownFields(FileDescriptorProtoSchema, file);
    expect(refuse).toThrow(StatusError);
    expect(refuse).toThrow('message_type[0].#501');
    expect(refuse).toThrow('message_type[0].field[0].#500');
  });
});
