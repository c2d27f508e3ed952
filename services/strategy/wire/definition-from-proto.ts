import type {
  Condition,
  ExitOffset,
  PositionSize,
  StrategyDefinition,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { snakeCase } from '../domain/form-reader.ts';
import type { JsonNode } from '../domain/json-tree.ts';
import { treeOf } from '../domain/json-tree.ts';
import { OPERATOR_NUMBERS, SIZE_TYPE_NUMBERS } from './definition-to-proto.ts';

/** A definition that came as a message, in the JSON form, so that one set of rules reads both. */
export function definitionTree(message: StrategyDefinition): JsonNode {
  const { s1Signal, z1Entry, ze1Close, o1Cancel, emergencyExit, globalLimits } = message;
  return treeOf({
    strategy_name: message.strategyName,
    description: message.description,
    s1_signal: s1Signal && { conditions: s1Signal.conditions.map(conditionForm) },
    z1_entry: z1Entry && {
      conditions: z1Entry.conditions.map(conditionForm),
      positionSize: z1Entry.positionSize && sizeForm(z1Entry.positionSize),
      stopLoss: z1Entry.stopLoss && offsetForm(z1Entry.stopLoss),
      takeProfit: z1Entry.takeProfit && offsetForm(z1Entry.takeProfit),
      leverage: z1Entry.leverage,
    },
    ze1_close: ze1Close && { conditions: ze1Close.conditions.map(conditionForm) },
    o1_cancel: o1Cancel && {
      timeoutSeconds: o1Cancel.timeoutSeconds,
      cooldownMinutes: o1Cancel.cooldownMinutes,
      conditions: o1Cancel.conditions.map(conditionForm),
    },
    emergency_exit: emergencyExit && {
      conditions: emergencyExit.conditions.map(conditionForm),
      cooldownMinutes: emergencyExit.cooldownMinutes,
      actions: emergencyExit.actions && {
        cancelPending: emergencyExit.actions.cancelPending,
        closePosition: emergencyExit.actions.closePosition,
      },
    },
    global_limits: globalLimits && {
      base_position_pct: globalLimits.basePositionPct,
      max_leverage: globalLimits.maxLeverage,
      stop_loss_buffer_pct: globalLimits.stopLossBufferPct,
    },
  });
}

/** A path of the JSON form in proto notation, within the request's field `definition`. */
export function protoPath(field: string): string {
  return field === '' ? 'definition' : `definition.${snakeCase(field)}`;
}

function conditionForm({ id, indicatorId, operator, value }: Condition) {
  return { id, indicatorId, operator: nameOf(OPERATOR_NUMBERS, operator), value };
}

function sizeForm({ type, value }: PositionSize) {
  return { type: nameOf(SIZE_TYPE_NUMBERS, type), value };
}

function offsetForm({ enabled, offsetPercent }: ExitOffset) {
  return { enabled, offsetPercent };
}

/** Undefined for the unspecified value, which is missing; a number that is not known stays one, and is refused. */
function nameOf(numbers: Readonly<Record<string, number>>, number: number): string | number | undefined {
  const known = Object.entries(numbers).find(([, each]) => each === number)?.[0];
  return known ?? (number === 0 ? undefined : number);
}
