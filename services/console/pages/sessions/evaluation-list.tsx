import { type Evaluation, InstanceState } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { ConditionText } from '../../parts/condition-text.tsx';
import { Mark } from '../../parts/mark.tsx';
import { When } from '../../parts/moment.tsx';
import { Nothing } from '../../parts/page.tsx';
import { decimalText } from '../../parts/number.ts';
import { sectionText } from './section-text.ts';

/** Transitions and blocked decisions, newest first, each with the values that made it. */
export function EvaluationList({ evaluations }: { readonly evaluations: readonly Evaluation[] }) {
  if (evaluations.length === 0) return <Nothing>Nothing yet.</Nothing>;
  return (
    <ul className="plain-list">
      {evaluations.map((each) => (
        <li key={String(each.sequence)}>
          <details>
            <summary>
              <span className="row">
                {each.blocked ? (
                  <Mark tone="warn">held back: {each.reason.replaceAll('_', ' ')}</Mark>
                ) : (
                  <strong>
                    {stateText(each.fromState)} → {stateText(each.toState)}
                  </strong>
                )}
                <span className="quiet">
                  <When time={each.time} />, {sectionText(each.section)}, {each.reason.replaceAll('_', ' ')}
                </span>
              </span>
            </summary>
            {each.message !== '' && <p>{each.message}</p>}
            <p className="quiet">
              At {decimalText(each.price)} by revision {String(each.revision)}, recorded <When time={each.recordTime} />{' '}
              by {each.replicaId}
            </p>
            {each.inputs.map((input) => (
              <ConditionText key={input.conditionId} condition={input} />
            ))}
          </details>
        </li>
      ))}
    </ul>
  );
}

function stateText(state: InstanceState): string {
  return (InstanceState[state] ?? '').toLowerCase().replaceAll('_', ' ');
}
