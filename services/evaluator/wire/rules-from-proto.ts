import {
  type Condition,
  Operator as OperatorMessage,
  type StrategyDefinition,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { Operator, RuleCondition, StrategyRules } from '../domain/strategy-rules.ts';

const OPERATORS: Readonly<Record<OperatorMessage, Operator | undefined>> = {
  [OperatorMessage.UNSPECIFIED]: undefined,
  [OperatorMessage.GREATER]: '>',
  [OperatorMessage.GREATER_OR_EQUAL]: '>=',
  [OperatorMessage.LESS]: '<',
  [OperatorMessage.LESS_OR_EQUAL]: '<=',
  [OperatorMessage.EQUAL]: '==',
  [OperatorMessage.NOT_EQUAL]: '!=',
};

const OPERATOR_MESSAGES: Readonly<Record<Operator, OperatorMessage>> = {
  '>': OperatorMessage.GREATER,
  '>=': OperatorMessage.GREATER_OR_EQUAL,
  '<': OperatorMessage.LESS,
  '<=': OperatorMessage.LESS_OR_EQUAL,
  '==': OperatorMessage.EQUAL,
  '!=': OperatorMessage.NOT_EQUAL,
};

/** What evaluation needs of a definition. @throws Error naming a condition whose operator this release does not know. */
export function rulesFromProto(definition: StrategyDefinition): StrategyRules {
  const { o1Cancel, emergencyExit } = definition;
  return {
    strategyName: definition.strategyName,
    s1Signal: { conditions: conditionsOf(definition.s1Signal?.conditions) },
    z1Entry: { conditions: conditionsOf(definition.z1Entry?.conditions) },
    ze1Close: { conditions: conditionsOf(definition.ze1Close?.conditions) },
    o1Cancel: {
      conditions: conditionsOf(o1Cancel?.conditions),
      timeoutSeconds: o1Cancel?.timeoutSeconds,
      cooldownMinutes: o1Cancel?.cooldownMinutes,
    },
    emergencyExit: {
      conditions: conditionsOf(emergencyExit?.conditions),
      cooldownMinutes: emergencyExit?.cooldownMinutes,
      actions: emergencyExit?.actions,
    },
  };
}

function conditionsOf(conditions: readonly Condition[] = []): RuleCondition[] {
  return conditions.map(({ id, indicatorId, operator, value }) => {
    const known = OPERATORS[operator];
    if (known === undefined)
      throw new Error(`condition "${id}" has an operator (${operator}) that this release does not know`);
    return { id, indicatorId, operator: known, value };
  });
}

export function operatorToProto(operator: Operator): OperatorMessage {
  return OPERATOR_MESSAGES[operator];
}
