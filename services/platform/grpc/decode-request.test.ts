import { create, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  DescriptorProtoSchema,
  FileDescriptorProtoSchema,
  ListValueSchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
} from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StatusError } from '../errors.ts';
import { decodeRequest } from './decode-request.ts';
import { isWellFormed } from './wire-check.ts';
import { wireFaults } from './wire-faults.ts';

const TEXT = WireType.LengthDelimited;

function bytesOf(write: (writer: BinaryWriter) => BinaryWriter): Uint8Array {
  return write(new BinaryWriter()).finish();
}

/** Paths of the fields that are refused; empty when the bytes are taken. */
function refused(desc: DescMessage, bytes: Uint8Array): string[] {
  try {
    decodeRequest(desc, bytes);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof StatusError) || thrown.code !== 'InvalidArgument') throw thrown;
    return thrown.violations.map(({ field }) => field);
  }
}

/** A descriptor of a file: texts, numbers, lists of texts, numbers and messages, all nested. */
const file = create(FileDescriptorProtoSchema, {
  name: 'a.proto',
  dependency: ['b.proto', 'c.proto'],
  publicDependency: [0, 1],
  messageType: [create(DescriptorProtoSchema, { name: 'A', reservedRange: [{ start: 1, end: 2 }] })],
});

describe('decodeRequest', () => {
  test('takes what is written well, packed numbers, maps and unknown fields included', () => {
    const bytes = toBinary(FileDescriptorProtoSchema, file);
    expect(decodeRequest(FileDescriptorProtoSchema, bytes)).toEqual(file);
    const packed = bytesOf((writer) => writer.tag(10, TEXT).fork().int32(1).int32(300).join());
    expect(decodeRequest(FileDescriptorProtoSchema, packed).publicDependency).toEqual([1, 300]);
    const struct = create(StructSchema, { fields: { a: { kind: { case: 'stringValue', value: 'b' } } } });
    expect(decodeRequest(StructSchema, toBinary(StructSchema, struct))).toEqual(struct);
    const strange = bytesOf((writer) => writer.tag(70_000_000, TEXT).string('x').tag(9_000, WireType.Bit64).fixed64(1));
    expect(decodeRequest(StringValueSchema, strange).$unknown).toHaveLength(2);
  });

  test('a number where a text belongs is not read as the length of what follows', () => {
    const misread = bytesOf((writer) =>
      writer
        .tag(1, WireType.Varint)
        .uint32(3)
        .raw(Uint8Array.of(0x61, 0x62, 0x63)),
    );
    expect(fromBinary(StringValueSchema, misread).value).toBe('abc');
    expect(refused(StringValueSchema, misread)).toContain('value');
  });

  test.each<[string, DescMessage, Uint8Array, string]>([
    ['a text where a number belongs', TimestampSchema, bytesOf((w) => w.tag(1, TEXT).string('5')), 'seconds'],
    [
      'fixed bytes where a text belongs',
      StringValueSchema,
      bytesOf((w) => w.tag(1, WireType.Bit32).fixed32(9)),
      'value',
    ],
    [
      'a number in a list of texts',
      FileDescriptorProtoSchema,
      bytesOf((w) => w.tag(3, TEXT).string('x').tag(3, WireType.Varint).uint32(7)),
      'dependency[1]',
    ],
    [
      'fixed bytes in a list of numbers',
      FileDescriptorProtoSchema,
      bytesOf((w) => w.tag(10, WireType.Bit32).fixed32(9)),
      'public_dependency[0]',
    ],
    [
      'a number where a message belongs',
      FileDescriptorProtoSchema,
      bytesOf((w) => w.tag(4, WireType.Varint).uint32(1)),
      'message_type[0]',
    ],
    [
      'a wrong type deep inside',
      FileDescriptorProtoSchema,
      bytesOf((w) => w.tag(4, TEXT).fork().tag(1, WireType.Varint).uint32(1).join()),
      'message_type[0].name',
    ],
    [
      'a text that is not UTF-8',
      StringValueSchema,
      bytesOf((w) => w.tag(1, TEXT).bytes(Uint8Array.of(0xff, 0xfe))),
      'value',
    ],
    [
      'a key that is not UTF-8',
      StructSchema,
      bytesOf((w) => w.tag(1, TEXT).fork().tag(1, TEXT).bytes(Uint8Array.of(0xff)).join()),
      'fields.key',
    ],
    [
      'a key that is a number',
      StructSchema,
      bytesOf((w) => w.tag(1, TEXT).fork().tag(1, WireType.Varint).uint32(1).join()),
      'fields.key',
    ],
    ['a text longer than the message', StringValueSchema, bytesOf((w) => w.tag(1, TEXT).uint32(200)), 'value'],
    [
      'a message that goes on behind its end',
      FileDescriptorProtoSchema,
      bytesOf((w) =>
        w
          .tag(4, TEXT)
          .uint32(3)
          .raw(Uint8Array.of(0x0a, 5, 0x61))
          .tag(1, TEXT)
          .string('after'),
      ),
      'message_type[0].name',
    ],
    ['a number that never ends', TimestampSchema, Uint8Array.of(0x08, 0xff, 0xff), 'seconds'],
    ['a tag that never ends', TimestampSchema, Uint8Array.of(0xff), '(message)'],
    ['a group', StringValueSchema, bytesOf((w) => w.tag(1, WireType.StartGroup).tag(1, WireType.EndGroup)), 'value'],
  ])('%s is refused by name', (_name, desc, bytes, field) => {
    expect(refused(desc, bytes)[0]).toBe(field);
  });

  test('nesting has an end', () => {
    let bytes: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 200; depth++) {
      const inner = bytes;
      // A list value in a value in a list value.
      const value = bytesOf((writer) => writer.tag(6, TEXT).bytes(inner));
      bytes = bytesOf((writer) => writer.tag(1, TEXT).bytes(value));
    }
    expect(refused(ListValueSchema, bytes)).toHaveLength(1);
  });

  test('the quick look refuses nothing that is well, and lets through nothing that has a fault of form', () => {
    const good = toBinary(FileDescriptorProtoSchema, file);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { maxLength: 3 }),
        fc.nat({ max: good.length }),
        (changes, cut) => {
          const bytes = good.slice(0, cut);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          const ofForm = wireFaults(FileDescriptorProtoSchema, bytes).filter(
            ({ description }) => !/is not (known|UTF-8)/.test(description),
          );
          // Longer tags than ours and what the decoder alone knows may be looked at twice; nothing may slip through.
          if (isWellFormed(FileDescriptorProtoSchema, bytes)) {
            expect(ofForm.filter(({ description }) => !/varint|illegal tag/.test(description))).toEqual([]);
          }
        },
      ),
      { numRuns: 3_000, seed: 7 },
    );
    expect(isWellFormed(FileDescriptorProtoSchema, good)).toBe(true);
  });
});
