import { SessionMode } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import {
  ActivationState,
  PositionState,
  SessionState,
  SignalState,
} from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { Mark, type Tone } from './mark.tsx';

const SESSION: Readonly<Record<SessionState, Tone>> = {
  [SessionState.UNSPECIFIED]: 'idle',
  [SessionState.STARTING]: 'busy',
  [SessionState.ACTIVE]: 'good',
  [SessionState.PAUSED]: 'warn',
  [SessionState.STOPPING]: 'busy',
  [SessionState.STOPPED]: 'idle',
  [SessionState.FAILED]: 'bad',
  [SessionState.COMPLETED]: 'idle',
};
const ACTIVATION: Readonly<Record<ActivationState, Tone>> = {
  [ActivationState.UNSPECIFIED]: 'idle',
  [ActivationState.PENDING]: 'busy',
  [ActivationState.ACTIVE]: 'good',
  [ActivationState.FAILED]: 'bad',
  [ActivationState.DEACTIVATING]: 'busy',
  [ActivationState.INACTIVE]: 'idle',
};
const SIGNAL: Readonly<Record<SignalState, Tone>> = {
  [SignalState.UNSPECIFIED]: 'idle',
  [SignalState.DETECTED]: 'busy',
  [SignalState.CANCELLED]: 'idle',
  [SignalState.ENTERING]: 'busy',
  [SignalState.ENTERED]: 'good',
  [SignalState.REJECTED]: 'bad',
};
const POSITION: Readonly<Record<PositionState, Tone>> = {
  [PositionState.UNSPECIFIED]: 'idle',
  [PositionState.OPEN]: 'good',
  [PositionState.CLOSING]: 'busy',
  [PositionState.CLOSED]: 'idle',
  [PositionState.UNKNOWN]: 'warn',
};

function wordOf(name: string | undefined): string {
  return (name ?? 'unknown').toLowerCase().replaceAll('_', ' ');
}

export function SessionMark({ state }: { readonly state: SessionState }) {
  return <Mark tone={SESSION[state] ?? 'idle'}>{wordOf(SessionState[state])}</Mark>;
}

export function ActivationMark({ state }: { readonly state: ActivationState }) {
  return <Mark tone={ACTIVATION[state] ?? 'idle'}>{wordOf(ActivationState[state])}</Mark>;
}

export function SignalMark({ state }: { readonly state: SignalState }) {
  return <Mark tone={SIGNAL[state] ?? 'idle'}>{wordOf(SignalState[state])}</Mark>;
}

export function PositionMark({ state }: { readonly state: PositionState }) {
  return <Mark tone={POSITION[state] ?? 'idle'}>{wordOf(PositionState[state])}</Mark>;
}

export function modeText(mode: SessionMode): string {
  return wordOf(SessionMode[mode]);
}

/** States in which a session is not at its end. */
export const RUNNING_STATES: readonly SessionState[] = [
  SessionState.STARTING,
  SessionState.ACTIVE,
  SessionState.PAUSED,
  SessionState.STOPPING,
];
