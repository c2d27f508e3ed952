import { inspect } from 'node:util';
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

/** A change that somebody could make, and whether it would break anybody who was built against a release. */
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
export const ACCESS_SERVICE = 'access/v1/access_service.proto';
export const EVALUATOR_SERVICE = 'evaluator/v1/evaluator_service.proto';
export const MARKET_SERVICE = 'market/v1/market_service.proto';
export const SESSION = 'session/v1/session.proto';
export const STRATEGY = 'strategy/v1/strategy.proto';
export const STRATEGY_SERVICE = 'strategy/v1/strategy_service.proto';

export function edit(file: string, from: string, to: string): ProtoEdit {
  return { file, from, to };
}

/** The same mutation, which tells `note` when it has changed anything: one that changes nothing would pass for harmless. */
export function noting(mutation: Mutation, note: () => void): Mutation {
  const { protos, stream, frames, agent, changes, door } = mutation;
  // Each edit of a proto must find its text; what a stream says is not known beforehand.
  if (protos !== undefined || stream !== undefined) note();
  return {
    ...mutation,
    ...(frames && { frames: noted(frames, note) }),
    ...(agent && { agent: noted(agent, note) }),
    ...(changes && { changes: noted(changes, note) }),
    ...(door && {
      door: {
        ...(door.path && { path: noted(door.path, note) }),
        ...(door.answer && { answer: noted(door.answer, note) }),
        ...(door.said && { said: noted(door.said, note) }),
      },
    }),
  };
}

function noted<T, R extends readonly unknown[]>(
  change: (given: T, ...rest: R) => T,
  note: () => void,
): (given: T, ...rest: R) => T {
  return (given, ...rest) => {
    const before = inspect(given, { depth: null });
    const after = change(given, ...rest);
    if (inspect(after, { depth: null }) !== before) note();
    return after;
  };
}

/** A change of the protos that would break somebody. */
export function breaking(name: string, ...protos: readonly ProtoEdit[]): Mutation {
  return { name, breaks: true, protos };
}

/** A change of the protos that nobody would notice. */
export function harmless(name: string, ...protos: readonly ProtoEdit[]): Mutation {
  return { name, breaks: false, protos };
}
