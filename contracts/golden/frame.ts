import {
  type DescField,
  type DescMessage,
  type DescOneof,
  type JsonObject,
  type JsonValue,
  type Message,
} from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { sampleMessage } from '../../test/conformance/sample-request.ts';
import { sampleOf } from './sample-values.ts';

export type Side = 'platform' | 'executor';

/** One frame as production code builds it, by the name under which every release keeps its bytes. */
export type MadeFrame =
  | { readonly name: string; readonly from: 'platform'; readonly message: ConnectResponse }
  | { readonly name: string; readonly from: 'executor'; readonly message: ConnectRequest };

/** The body of a unary call, which agents that cannot stream, and machines that look for a fault, use. */
export interface MadeBody {
  readonly name: string;
  readonly from: Side;
  readonly desc: DescMessage;
  readonly message: Message;
}

/** One frame, or one body, as a release keeps it: its bytes, and what they mean. */
export interface GoldenFrame {
  readonly name: string;
  readonly from: Side;
  /** Name of the message that a body is; a frame has none. */
  readonly type?: string;
  /** Base64. */
  readonly bytes: string;
  /** Canonical proto JSON. */
  readonly json: JsonValue;
}

/** What each side says. */
export const FRAMES = { platform: ConnectResponseSchema, executor: ConnectRequestSchema } as const;

/** Today's descriptor of what is on the wire. */
export function descOf(made: MadeFrame | MadeBody): DescMessage {
  return 'desc' in made ? made.desc : FRAMES[made.from];
}

/** A oneof inside a frame, and the way to it: each of its cases needs a frame of its own, as each kind does. */
interface Inner {
  readonly path: readonly DescField[];
  readonly oneof: DescOneof;
}

function innerOf(desc: DescMessage, path: readonly DescField[] = []): Inner | undefined {
  if (desc.file.proto.package.startsWith('google.')) return undefined;
  const [oneof] = desc.oneofs;
  if (oneof !== undefined) return { path, oneof };
  for (const field of desc.fields) {
    const next = field.fieldKind === 'map' ? undefined : field.message;
    const found = next === undefined ? undefined : innerOf(next, [...path, field]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function frameFields(side: Side): readonly DescField[] {
  return FRAMES[side].oneofs[0]?.fields ?? [];
}

function nameOf(side: Side, frame: DescField, inner?: DescField): string {
  return inner === undefined ? `${side} ${frame.name}` : `${side} ${frame.name}/${inner.name}`;
}

/** Names of all frames that the wire format knows, read from its descriptors, such as "platform commands/open_position". */
export function frameNames(side: Side): string[] {
  return frameFields(side).flatMap((frame) => {
    const inner = frame.message && innerOf(frame.message);
    return inner === undefined ? [nameOf(side, frame)] : inner.oneof.fields.map((each) => nameOf(side, frame, each));
  });
}

/** @throws Error naming the frame when it is not among them */
export function frameNamed(frames: readonly MadeFrame[], name: string): MadeFrame {
  const found = frames.find((each) => each.name === name);
  if (found === undefined) throw new Error(`nobody says ${name}`);
  return found;
}

function isReflected(value: unknown): value is ReflectMessage {
  return typeof value === 'object' && value !== null && 'desc' in value;
}

/** The name of a frame that holds one thing. */
export function frameNameOf(side: Side, message: Message): string {
  const desc: DescMessage = FRAMES[side];
  const frame = frameFields(side).find((field) => reflect(desc, message).isSet(field));
  if (frame === undefined) throw new Error(`a frame of the ${side} has no known case`);
  const inner = frame.message && innerOf(frame.message);
  if (inner === undefined) return nameOf(side, frame);
  let at: ReflectMessage = reflect(desc, message);
  for (const field of [frame, ...inner.path]) {
    const value: unknown = field.fieldKind === 'list' ? at.get(field).get(0) : at.get(field);
    if (!isReflected(value)) return nameOf(side, frame);
    at = value;
  }
  return nameOf(
    side,
    frame,
    inner.oneof.fields.find((field) => at.isSet(field)),
  );
}

/** A frame with every field filled, from the descriptor alone: for what no production code says yet. */
export function describedFrame(side: Side, name: string): JsonValue {
  for (const frame of frameFields(side)) {
    const inner = frame.message && innerOf(frame.message);
    const cases = inner === undefined ? [undefined] : inner.oneof.fields;
    const chosen = cases.find((each) => nameOf(side, frame, each) === name);
    if (frame.message === undefined || (chosen === undefined && nameOf(side, frame) !== name)) continue;
    const body: JsonObject = sampleMessage(frame.message, sampleOf);
    if (inner !== undefined && chosen !== undefined) chooseCase(body, inner, chosen);
    return { [frame.jsonName]: body };
  }
  throw new Error(`there is no frame ${name}`);
}

function chooseCase(body: JsonObject, { path, oneof }: Inner, chosen: DescField): void {
  let at: JsonValue | undefined = body;
  for (const field of path) {
    const value: JsonValue | undefined = isObject(at) ? at[field.jsonName] : undefined;
    at = Array.isArray(value) ? value[0] : value;
  }
  if (!isObject(at) || chosen.message === undefined) return;
  for (const other of oneof.fields) delete at[other.jsonName];
  at[chosen.jsonName] = sampleMessage(chosen.message, sampleOf);
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
