import { CommandState, type Transition } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { commandStateText, toneOf } from '../../parts/command-state.tsx';
import { clockText, msOf, shortDayText, spanText, useToday } from '../../parts/time.ts';

/** Every step of a command in the order in which it happened. */
export function Timeline({ steps, open }: { readonly steps: readonly Transition[]; readonly open: boolean }) {
  const today = useToday();
  return (
    <ol className="timeline">
      {steps.map((step, index) => {
        const at = msOf(step.time);
        const before = msOf(steps[index - 1]?.time);
        const waited = at === undefined || before === undefined ? '' : `+${spanText(Math.max(0, at - before))}`;
        const tone = toneOf(step.toState);
        return (
          <li
            key={`${String(step.time?.seconds)}.${step.time?.nanos} ${step.cause} ${step.toState} ${step.attempt}`}
            className={tone === 'bad' || tone === 'warn' ? 'bad' : ''}
          >
            <span className="at">
              {at !== undefined && shortDayText(at) !== shortDayText(today) && (
                <>
                  {shortDayText(at)}
                  <br />
                </>
              )}
              {at === undefined ? '' : clockText(at, { precise: true })}
              <br />
              {waited}
            </span>
            <span className="knot" aria-hidden="true" />
            <span>
              <strong>{step.cause}</strong>{' '}
              <span className="quiet">
                {step.fromState === CommandState.UNSPECIFIED || step.fromState === step.toState
                  ? commandStateText(step.toState)
                  : `${commandStateText(step.fromState)} → ${commandStateText(step.toState)}`}
                {step.attempt > 1 && `, attempt ${step.attempt}`}
                {step.streamEpoch > 0n && `, stream ${step.streamEpoch}`}
              </span>
              {step.message !== '' && <p>{step.message}</p>}
            </span>
          </li>
        );
      })}
      {open && (
        <li className="waiting">
          <span className="at">now</span>
          <span className="knot" aria-hidden="true" />
          <span className="quiet">what is next has not happened yet</span>
        </li>
      )}
    </ol>
  );
}
