import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Mark, type Tone } from './mark.tsx';

const SHOWN: Readonly<Record<ExecutorState, readonly [Tone, string]>> = {
  [ExecutorState.UNSPECIFIED]: ['idle', 'unknown'],
  [ExecutorState.NEVER_CONNECTED]: ['idle', 'never connected'],
  [ExecutorState.ONLINE]: ['good', 'online'],
  [ExecutorState.OFFLINE]: ['bad', 'offline'],
  [ExecutorState.DISABLED]: ['idle', 'disabled'],
};

export function ExecutorMark({ state }: Pick<Executor, 'state'>) {
  const [tone, word] = SHOWN[state] ?? SHOWN[ExecutorState.UNSPECIFIED];
  return <Mark tone={tone}>{word}</Mark>;
}
