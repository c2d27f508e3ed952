import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type CommandPayload, CommandPayloadSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { isKind, type Kind } from '../domain/kind.ts';
import type { KeyParts } from '../domain/ordering-key.ts';
import { millisecondsOfDuration } from './time.ts';

/** One case of the `kind` oneof with its message; the same in Command, IssueCommandRequest and CommandDelivery. */
export type KindValue = Extract<CommandPayload['kind'], { case: string }>;
export type KindCase = KindValue['case'];

const kindOneof = CommandPayloadSchema.oneofs[0];
const kindByCase = new Map<string, string>(kindOneof?.fields.map((field) => [field.localName, field.name]));

/** Names of all kinds, such as "open_position", in order of their field numbers. */
export const KIND_NAMES: readonly string[] = [...kindByCase.values()];

/** The kind's name in proto notation. @throws Error for a case without a policy, which a test rules out. */
export function kindOf(kindCase: KindCase): Kind {
  const name = kindByCase.get(kindCase);
  if (name === undefined || !isKind(name)) throw new Error(`the kind ${kindCase} has no policy in domain/kind.ts`);
  return name;
}

/** The stored form of a kind. */
export function encodePayload(kind: KindValue): Uint8Array {
  return sharedCopy(toBinary(CommandPayloadSchema, create(CommandPayloadSchema, { kind })));
}

/** In memory that many share: an array of its own was a fourteenth of what open commands hold. */
export function sharedCopy(payload: Uint8Array): Uint8Array {
  return Buffer.from(payload);
}

/** A stored payload, or what is wrong with it and in which column. */
export type ReadPayload =
  | { readonly type: 'payload'; readonly kind: KindValue }
  | { readonly type: 'defect'; readonly defect: string };

/**
 * Reads a stored payload. Nothing of it is trusted: the bytes must be a CommandPayload and nothing else, and hold the kind
 * that stands beside them. Unknown fields *inside* the kind are left alone: a newer replica may have written them.
 */
export function readPayload(kind: string, parameters: Uint8Array): ReadPayload {
  if (!isKind(kind)) return defect(`kind: "${kind}" is not a kind`);
  let payload: CommandPayload;
  try {
    payload = fromBinary(CommandPayloadSchema, parameters);
  } catch (thrown) {
    return defect(`parameters: cannot be decoded: ${messageOf(thrown)}`);
  }
  const unknown = payload.$unknown?.[0];
  if (unknown !== undefined) return defect(`parameters: field number ${unknown.no} is not known`);
  if (payload.kind.case === undefined) return defect('parameters: hold no kind');
  const held = kindByCase.get(payload.kind.case);
  if (held !== kind) return defect(`parameters: hold ${held ?? payload.kind.case} where kind says ${kind}`);
  if (payload.kind.case === 'startSession') {
    const { disconnectAfter } = payload.kind.value;
    if (disconnectAfter !== undefined && Number.isNaN(millisecondsOfDuration(disconnectAfter))) {
      return defect('parameters: start_session.disconnect_after is not a duration');
    }
  }
  return { type: 'payload', kind: payload.kind };
}

function defect(text: string): ReadPayload {
  return { type: 'defect', defect: text };
}

/** Why a stored payload cannot be used, naming the column; undefined when it can. */
export function payloadDefect(kind: string, parameters: Uint8Array): string | undefined {
  const read = readPayload(kind, parameters);
  return read.type === 'defect' ? read.defect : undefined;
}

/** The fields that name the ordering key; empty where the kind has no such field. */
export function keyPartsOf({ value }: KindValue): KeyParts {
  return {
    sessionId: 'sessionId' in value ? value.sessionId : '',
    strategyId: 'strategyId' in value ? value.strategyId : '',
    symbol: 'symbol' in value ? value.symbol : '',
  };
}
