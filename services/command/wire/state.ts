import { CommandState as WireState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { type CommandState, OPEN_STATES, TERMINAL_STATES } from '../domain/command.ts';

const STATES: readonly CommandState[] = [...OPEN_STATES, ...TERMINAL_STATES];

export function stateToProto(state: CommandState): WireState {
  return WireState[state];
}

/** Undefined for UNSPECIFIED and for numbers that this release does not know. */
export function stateFromProto(state: WireState): CommandState | undefined {
  return STATES.find((name) => WireState[name] === state);
}
