import { isFieldSet } from '@bufbuild/protobuf';
import {
  type Condition,
  type EmergencyActions,
  type ExitOffset,
  Operator,
  type PositionSize,
  PositionSizeType,
  type StrategyDefinition,
  GlobalLimitsSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';

const OPERATORS: Readonly<Record<Operator, string>> = {
  [Operator.UNSPECIFIED]: '',
  [Operator.GREATER]: '>',
  [Operator.GREATER_OR_EQUAL]: '>=',
  [Operator.LESS]: '<',
  [Operator.LESS_OR_EQUAL]: '<=',
  [Operator.EQUAL]: '==',
  [Operator.NOT_EQUAL]: '!=',
};

const SIZE_TYPES: Readonly<Record<PositionSizeType, string>> = {
  [PositionSizeType.UNSPECIFIED]: '',
  [PositionSizeType.PERCENTAGE]: 'percentage',
  [PositionSizeType.FIXED]: 'fixed',
};

/**
 * A definition as people write it, so that there is one reader and one judge of definitions whichever way they come. JSON has no
 * word for numbers that are not finite: they stand as texts, which the reader refuses, where null would pass for nothing said.
 */
export function definitionJson(definition: StrategyDefinition): string {
  const { s1Signal, z1Entry, ze1Close, o1Cancel, emergencyExit, globalLimits } = definition;
  return JSON.stringify(
    {
      strategy_name: definition.strategyName,
      ...(definition.description === '' ? {} : { description: definition.description }),
      s1_signal: { conditions: conditions(s1Signal?.conditions) },
      z1_entry: {
        conditions: conditions(z1Entry?.conditions),
        positionSize: size(z1Entry?.positionSize),
        stopLoss: offset(z1Entry?.stopLoss),
        takeProfit: offset(z1Entry?.takeProfit),
        leverage: z1Entry?.leverage,
      },
      ze1_close: { conditions: conditions(ze1Close?.conditions) },
      o1_cancel: {
        conditions: conditions(o1Cancel?.conditions),
        timeoutSeconds: o1Cancel?.timeoutSeconds,
        cooldownMinutes: o1Cancel?.cooldownMinutes,
      },
      emergency_exit: {
        conditions: conditions(emergencyExit?.conditions),
        cooldownMinutes: emergencyExit?.cooldownMinutes,
        actions: actions(emergencyExit?.actions),
      },
      global_limits: Object.fromEntries(
        globalLimits === undefined
          ? []
          : GlobalLimitsSchema.fields
              .filter((field) => isFieldSet(globalLimits, field))
              .map((field) => [field.name, Object(globalLimits)[field.localName]]),
      ),
    },
    (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
  );
}

function conditions(list: readonly Condition[] = []) {
  return list.map(({ id, indicatorId, operator, value }) => ({
    id,
    indicatorId,
    operator: OPERATORS[operator] ?? '',
    value,
  }));
}

function size(value: PositionSize | undefined) {
  return value === undefined ? undefined : { type: SIZE_TYPES[value.type] ?? '', value: value.value };
}

function offset(value: ExitOffset | undefined) {
  return value === undefined ? undefined : { enabled: value.enabled, offsetPercent: value.offsetPercent };
}

function actions(value: EmergencyActions | undefined) {
  return value === undefined ? undefined : { cancelPending: value.cancelPending, closePosition: value.closePosition };
}
