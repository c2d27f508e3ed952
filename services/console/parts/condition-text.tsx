import type { ConditionResult } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { Operator } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { Mark } from './mark.tsx';
import { numberBeside } from './number.ts';

const SIGNS: Readonly<Record<Operator, string>> = {
  [Operator.UNSPECIFIED]: '?',
  [Operator.GREATER]: '>',
  [Operator.GREATER_OR_EQUAL]: '≥',
  [Operator.LESS]: '<',
  [Operator.LESS_OR_EQUAL]: '≤',
  [Operator.EQUAL]: '=',
  [Operator.NOT_EQUAL]: '≠',
};

/** One condition as it was looked at: the value it had, and the one it needs. */
export function ConditionText({ condition }: { readonly condition: ConditionResult }) {
  const { actual, note, result, indicatorId, operator, value } = condition;
  const had = actual === undefined || note !== '' ? note || 'no value yet' : String(numberBeside(actual, value));
  return (
    <p className="row">
      <Mark tone={result ? 'good' : 'idle'}>{result ? 'true' : 'false'}</Mark>
      <span>
        <code>{indicatorId}</code> is <strong>{had}</strong>
        <span className="quiet">
          , needs {SIGNS[operator] ?? '?'} {value}
        </span>
      </span>
    </p>
  );
}
