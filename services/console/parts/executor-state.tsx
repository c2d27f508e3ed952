import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Mark, type Tone } from './mark.tsx';

const SHOWN: Readonly<Record<ExecutorState, readonly [Tone, string]>> = {
  [ExecutorState.UNSPECIFIED]: ['idle', 'unknown'],
  [ExecutorState.NEVER_CONNECTED]: ['idle', 'never connected'],
  [ExecutorState.ONLINE]: ['good', 'online'],
  [ExecutorState.OFFLINE]: ['bad', 'offline'],
  [ExecutorState.DISABLED]: ['idle', 'disabled'],
};

/** Says of an executor that is away that its agent calls and is not let in; why is told on its page. */
export function RefusedMark({ lastRefusal }: Pick<Executor, 'lastRefusal'>) {
  if (lastRefusal?.current !== true) return null;
  return lastRefusal.credentialProven ? (
    <Mark tone="bad">its agent is refused</Mark>
  ) : (
    <Mark tone="warn">a caller with its key is refused</Mark>
  );
}

export function ExecutorMark({ state }: Pick<Executor, 'state'>) {
  const [tone, word] = SHOWN[state] ?? SHOWN[ExecutorState.UNSPECIFIED];
  return <Mark tone={tone}>{word}</Mark>;
}
