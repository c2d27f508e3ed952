import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { Mark, type Tone } from './mark.tsx';

const TONES: Readonly<Record<CommandState, Tone>> = {
  [CommandState.UNSPECIFIED]: 'idle',
  [CommandState.PENDING]: 'idle',
  [CommandState.SENT]: 'busy',
  [CommandState.RECEIVED]: 'busy',
  [CommandState.RUNNING]: 'busy',
  [CommandState.SUCCEEDED]: 'good',
  [CommandState.FAILED]: 'bad',
  [CommandState.REJECTED]: 'bad',
  [CommandState.CANCELLED]: 'idle',
  [CommandState.EXPIRED]: 'warn',
  [CommandState.OUTCOME_UNKNOWN]: 'warn',
};

/** Every state that a command can have. */
export const COMMAND_STATES: readonly CommandState[] = [
  CommandState.PENDING,
  CommandState.SENT,
  CommandState.RECEIVED,
  CommandState.RUNNING,
  CommandState.SUCCEEDED,
  CommandState.FAILED,
  CommandState.REJECTED,
  CommandState.CANCELLED,
  CommandState.EXPIRED,
  CommandState.OUTCOME_UNKNOWN,
];

export function isTerminal(state: CommandState): boolean {
  return state >= CommandState.SUCCEEDED;
}

export function commandStateText(state: CommandState): string {
  return (CommandState[state] ?? String(state)).toLowerCase().replaceAll('_', ' ');
}

export function toneOf(state: CommandState): Tone {
  return TONES[state] ?? 'idle';
}

export function CommandMark({ state }: { readonly state: CommandState }) {
  return <Mark tone={toneOf(state)}>{commandStateText(state)}</Mark>;
}
