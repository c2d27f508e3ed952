import { create } from '@bufbuild/protobuf';
import {
  Operator as OperatorNumber,
  PositionSizeType,
  type StrategyDefinition,
  StrategyDefinitionSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { Condition, Definition, Operator, PositionSize } from '../domain/definition.ts';

export const OPERATOR_NUMBERS: Readonly<Record<Operator, OperatorNumber>> = {
  '>': OperatorNumber.GREATER,
  '>=': OperatorNumber.GREATER_OR_EQUAL,
  '<': OperatorNumber.LESS,
  '<=': OperatorNumber.LESS_OR_EQUAL,
  '==': OperatorNumber.EQUAL,
  '!=': OperatorNumber.NOT_EQUAL,
};

export const SIZE_TYPE_NUMBERS: Readonly<Record<PositionSize['type'], PositionSizeType>> = {
  percentage: PositionSizeType.PERCENTAGE,
  fixed: PositionSizeType.FIXED,
};

export function definitionToProto(definition: Definition): StrategyDefinition {
  const { z1Entry, o1Cancel, emergencyExit } = definition;
  const { positionSize } = z1Entry;
  return create(StrategyDefinitionSchema, {
    strategyName: definition.strategyName,
    description: definition.description ?? '',
    s1Signal: { conditions: definition.s1Signal.conditions.map(conditionToProto) },
    z1Entry: {
      ...z1Entry,
      conditions: z1Entry.conditions.map(conditionToProto),
      positionSize: positionSize && { type: SIZE_TYPE_NUMBERS[positionSize.type], value: positionSize.value },
    },
    ze1Close: { conditions: definition.ze1Close.conditions.map(conditionToProto) },
    o1Cancel: { ...o1Cancel, conditions: o1Cancel.conditions.map(conditionToProto) },
    emergencyExit: { ...emergencyExit, conditions: emergencyExit.conditions.map(conditionToProto) },
    globalLimits: { ...definition.globalLimits },
  });
}

function conditionToProto({ id, indicatorId, operator, value }: Condition) {
  return { id, indicatorId, operator: OPERATOR_NUMBERS[operator], value };
}
