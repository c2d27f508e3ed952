import type { ConnectRequest } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { AlterFrame } from '../golden/candidate.ts';
import type { AlterChange } from '../golden/strategy-changes.ts';
import type { DoorChange } from '../providers/door-proxy.ts';
import type { Frames } from './streams.ts';

/** One replacement in one proto; `from` must stand there exactly once. */
export interface ProtoEdit {
  /** Below proto/strategos/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A change that somebody could make, and whether an executor in the field would break. */
export interface Mutation {
  readonly name: string;
  readonly breaks: boolean;
  /** To a copy of the protos; the builders follow as a person would let them. */
  readonly protos?: readonly ProtoEdit[];
  /** To what the builders say. */
  readonly frames?: AlterFrame;
  /** To the order of the frames of a stream, or to which of them are sent. */
  readonly stream?: (frames: Frames) => Frames;
  /** To what today's agent answers when it is asked. */
  readonly agent?: (answer: ConnectRequest) => ConnectRequest;
  /** To what the strategy service says of changes. */
  readonly changes?: AlterChange;
  /** To what the gateway serves. */
  readonly door?: DoorChange;
  /** The RPC, or the message, that the door's change is about; absent: all. */
  readonly call?: string;
}

export const LINK = 'command/v1/executor_link_service.proto';
export const COMMAND = 'command/v1/command.proto';
export const KIND = 'command/v1/kind.proto';
export const COMMAND_SERVICE = 'command/v1/command_service.proto';
export const SESSION = 'session/v1/session.proto';
export const STRATEGY = 'strategy/v1/strategy.proto';
export const STRATEGY_SERVICE = 'strategy/v1/strategy_service.proto';

export function edit(file: string, from: string, to: string): ProtoEdit {
  return { file, from, to };
}

/** A change of the protos that would break somebody. */
export function breaking(name: string, ...protos: readonly ProtoEdit[]): Mutation {
  return { name, breaks: true, protos };
}

/** A change of the protos that nobody would notice. */
export function harmless(name: string, ...protos: readonly ProtoEdit[]): Mutation {
  return { name, breaks: false, protos };
}
