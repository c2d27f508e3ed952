import type { DescMessage } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { type WireShape, wireShape } from './wire-shape.ts';

/** Depth at which the decoder stops reading, too. */
const DEPTH_MAX = 100;
/** Numbers of up to four bytes are read here: longer tags and lengths are none of an honest message. */
const SHIFT_MAX = 21;
const MALFORMED = -1;

/** The wire types as plain numbers, as they come out of a tag. */
const VARINT: number = WireType.Varint;
const BIT64: number = WireType.Bit64;
const BIT32: number = WireType.Bit32;
const LENGTH_DELIMITED: number = WireType.LengthDelimited;

/**
 * False for bytes that may not be a message in protobuf's binary form: a known field with another wire type than its own, or
 * one that goes on behind the end of what holds it. `wireFaults` then has the last word, and names what is wrong. The decoder
 * itself would not notice: it reads by a field's number alone, so that a number where a text belongs is taken for the text's
 * length, and what follows for the text. This runs over every frame of every agent, so it makes nothing but numbers.
 */
export function isWellFormed(desc: DescMessage, bytes: Uint8Array): boolean {
  return endOf(wireShape(desc), bytes, 0, bytes.length, 0) === bytes.length;
}

/** Reads a message from `start`; its end, or MALFORMED when that is not `end`. */
function endOf(shape: WireShape, bytes: Uint8Array, start: number, end: number, depth: number): number {
  if (depth >= DEPTH_MAX) return MALFORMED;
  let at = start;
  while (at < end) {
    let tag = bytes[at++] ?? 0;
    for (let shift = 7; tag >= 1 << shift && shift <= SHIFT_MAX; shift += 7) {
      tag = (tag & ((1 << shift) - 1)) | ((bytes[at++] ?? 0) << shift);
    }
    const wireType = tag & 7;
    const field = shape.fields.get(tag >>> 3);
    const packed = field?.packable === true && wireType === LENGTH_DELIMITED;
    const own: number | undefined = field?.wireType;
    if (own !== undefined && wireType !== own && !packed) return MALFORMED;
    if (wireType === VARINT) while ((bytes[at++] ?? 0) >= 0x80);
    else if (wireType === BIT64) at += 8;
    else if (wireType === BIT32) at += 4;
    else if (wireType === LENGTH_DELIMITED) {
      let length = bytes[at++] ?? 0;
      for (let shift = 7; length >= 1 << shift && shift <= SHIFT_MAX; shift += 7) {
        length = (length & ((1 << shift) - 1)) | ((bytes[at++] ?? 0) << shift);
      }
      const inner = at + length;
      if (inner > end) return MALFORMED;
      if (field?.inner !== undefined && endOf(field.inner(), bytes, at, inner, depth + 1) !== inner) return MALFORMED;
      at = inner;
    } else return MALFORMED;
  }
  return at === end ? end : MALFORMED;
}
