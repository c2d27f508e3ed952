import { type DescMessage, fromJson, type JsonObject, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { messageIn, type Schema } from '../schema/image.ts';
import { reshape } from '../schema/reshape.ts';
import { descOf, isObject, type MadeBody, type MadeFrame, type Side } from './frame.ts';

/** One frame as a build puts it on the wire: its bytes on the stream, its JSON when polled. */
export interface SaidFrame {
  readonly name: string;
  readonly from: Side;
  readonly bytes: Uint8Array;
  readonly json: JsonValue;
}

/** The build that wants to be released: its descriptors, and everything that it says. */
export interface Candidate {
  readonly schema: Schema;
  readonly frames: readonly SaidFrame[];
  /** How it says a frame that production code of today makes. */
  readonly say: (made: MadeFrame) => SaidFrame;
}

/** Changes what a builder says; gets a copy that it may alter. */
export type AlterFrame = (json: JsonObject, frame: { readonly name: string; readonly from: Side }) => JsonObject;

/** What a build of these descriptors says, when its builders are those of today, altered by `alter`. */
export function candidateOf(schema: Schema, made: readonly (MadeFrame | MadeBody)[], alter?: AlterFrame): Candidate {
  const say = (frame: MadeFrame | MadeBody): SaidFrame => said(schema, frame, alter);
  return { schema, frames: made.map(say), say };
}

function said(schema: Schema, made: MadeFrame | MadeBody, alter: AlterFrame | undefined): SaidFrame {
  const { name, from, message } = made;
  const today = descOf(made);
  const desc = messageIn(schema, today.typeName);
  const shaped = reshape(message, today, desc);
  const json = toJson(desc, shaped);
  if (alter === undefined || !isObject(json)) return { name, from, bytes: toBinary(desc, shaped), json };
  const altered = alter(structuredClone(json), { name, from });
  return { name, from, bytes: encoded(desc, altered), json: altered };
}

/** Nothing where the JSON is none of this message: such a builder would have failed. */
function encoded(desc: DescMessage, json: JsonObject): Uint8Array {
  try {
    return toBinary(desc, fromJson(desc, json, { ignoreUnknownFields: true }));
  } catch {
    return new Uint8Array();
  }
}
