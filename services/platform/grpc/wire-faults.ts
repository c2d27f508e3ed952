import { isUtf8 } from 'node:buffer';
import type { DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type FieldViolation, messageOf } from '../errors.ts';
import { type WireField, type WireShape, wireShape } from './wire-shape.ts';

/** Depth at which the decoder stops reading, too. */
const DEPTH_MAX = 100;
/** Faults listed in one answer: nobody mends more at a time. */
const FAULTS_LISTED_MAX = 16;
/** Field name of a violation that concerns the message as a whole. */
const WHOLE = '(message)';

const WIRE_NAMES: Readonly<Record<WireType, string>> = {
  [WireType.Varint]: 'a varint',
  [WireType.Bit64]: 'eight fixed bytes',
  [WireType.LengthDelimited]: 'a length and bytes',
  [WireType.StartGroup]: 'a group',
  [WireType.EndGroup]: "a group's end",
  [WireType.Bit32]: 'four fixed bytes',
};

/**
 * What does not fit in bytes that should be a message in protobuf's binary form, each fault with its path; empty when nothing
 * is wrong. Every field must be known, have its own wire type, end within what holds it, and be UTF-8 where it is a text.
 */
export function wireFaults(desc: DescMessage, bytes: Uint8Array): FieldViolation[] {
  const walk = new FaultWalk();
  walk.message(wireShape(desc), bytes, '', 0);
  return walk.faults;
}

class FaultWalk {
  readonly faults: FieldViolation[] = [];

  message(shape: WireShape, bytes: Uint8Array, path: string, depth: number): void {
    if (depth >= DEPTH_MAX) {
      this.#add(path, `nested deeper than ${DEPTH_MAX} messages`);
      return;
    }
    const reader = new BinaryReader(bytes);
    const indexes = new Map<WireField, number>();
    let at = path;
    try {
      while (reader.pos < reader.len && this.faults.length < FAULTS_LISTED_MAX) {
        at = path;
        const [number, wireType] = reader.tag();
        const field = shape.fields.get(number);
        at = joined(path, field?.name ?? `#${number}`);
        if (field === undefined) {
          this.#add(at, `field number ${number} is not known in ${shape.typeName}`);
          reader.skip(wireType, number);
          continue;
        }
        if (field.listed) {
          const index = indexes.get(field) ?? 0;
          indexes.set(field, index + 1);
          at = `${at}[${index}]`;
        }
        this.#field(field, number, wireType, reader, at, depth);
      }
    } catch (thrown) {
      this.#add(at, `is cut short or malformed: ${messageOf(thrown)}`);
    }
  }

  #field(
    field: WireField,
    number: number,
    wireType: WireType,
    reader: BinaryReader,
    path: string,
    depth: number,
  ): void {
    const packed = field.packable && wireType === WireType.LengthDelimited;
    if (wireType !== field.wireType && !packed) {
      this.#add(path, `expected ${WIRE_NAMES[field.wireType]}, got ${WIRE_NAMES[wireType]}`);
    }
    if (wireType !== WireType.LengthDelimited || wireType !== field.wireType) {
      reader.skip(wireType, number);
      return;
    }
    const bytes = reader.bytes();
    if (field.inner !== undefined) this.message(field.inner(), bytes, path, depth + 1);
    else if (field.text && !isUtf8(bytes)) this.#add(path, 'is not UTF-8');
  }

  #add(path: string, description: string): void {
    if (this.faults.length < FAULTS_LISTED_MAX) this.faults.push({ field: path === '' ? WHOLE : path, description });
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
