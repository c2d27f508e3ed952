import { Operator } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';

/** As people write them. */
export const OPERATORS: Readonly<Record<Operator, string>> = {
  [Operator.UNSPECIFIED]: '?',
  [Operator.GREATER]: '>',
  [Operator.GREATER_OR_EQUAL]: '>=',
  [Operator.LESS]: '<',
  [Operator.LESS_OR_EQUAL]: '<=',
  [Operator.EQUAL]: '==',
  [Operator.NOT_EQUAL]: '!=',
};
