import { toJson } from '@bufbuild/protobuf';
import { validate as isUuid } from 'uuid';
import {
  ConditionResultSchema,
  type Intent,
  IntentType,
  IntentTypeSchema,
  Section,
  SectionSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  type ExitOffset,
  PositionSizeType,
  type StrategyDefinition,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { IntentBody } from '../domain/intent-body.ts';
import type { Section as SectionName } from '../domain/records.ts';
import type { NewIntent } from '../domain/repository.ts';
import type { EntryTerms } from '../domain/sizing.ts';
import type { FieldChecks } from './field-checks.ts';
import { millisecondsOf } from './time.ts';

const TYPES: Readonly<Partial<Record<IntentType, IntentBody['type']>>> = {
  [IntentType.ENTER]: 'ENTER',
  [IntentType.EXIT]: 'EXIT',
  [IntentType.CANCEL_ENTRY]: 'CANCEL_ENTRY',
  [IntentType.SIGNAL]: 'SIGNAL',
  [IntentType.SIGNAL_CANCELLED]: 'SIGNAL_CANCELLED',
  [IntentType.INPUT_BLIND]: 'INPUT_BLIND',
  [IntentType.INPUT_FRESH]: 'INPUT_FRESH',
};

const SECTIONS: Readonly<Partial<Record<Section, SectionName>>> = {
  [Section.Z1_ENTRY]: 'Z1_ENTRY',
  [Section.ZE1_CLOSE]: 'ZE1_CLOSE',
  [Section.EMERGENCY_EXIT]: 'EMERGENCY_EXIT',
};

/** An intent as it is stored. What is wrong with it goes to `checks`; `at` is its field. */
export function intentFromProto(intent: Intent, at: string, checks: FieldChecks): NewIntent {
  checks.text(`${at}.id`, intent.id, true);
  checks.id(`${at}.instance_id`, intent.instanceId);
  checks.id(`${at}.session_id`, intent.sessionId);
  checks.enumeration(`${at}.type`, IntentTypeSchema, intent.type, true);
  checks.enumeration(`${at}.section`, SectionSchema, intent.section);
  const marketTimeMs = millisecondsOf(intent.time);
  if (marketTimeMs === null) checks.add(`${at}.time`, 'is required: the market time of the decision');
  // An entry is sized by its price. An exit must not wait for one: the venue closes at its own.
  checks.amount(`${at}.price`, intent.price, intent.type === IntentType.ENTER);
  if (intent.type === IntentType.ENTER && intent.definition === undefined) {
    checks.add(`${at}.definition`, 'is required: an entry is sized by it');
  }
  return {
    sessionId: isUuid(intent.sessionId) ? intent.sessionId.toLowerCase() : intent.sessionId,
    body: {
      id: intent.id,
      instanceId: intent.instanceId.toLowerCase(),
      type: TYPES[intent.type] ?? 'SIGNAL',
      section: SECTIONS[intent.section] ?? 'VENUE',
      reason: intent.reason,
      revision: Number(intent.revision),
      marketTimeMs: marketTimeMs ?? 0,
      price: intent.price,
      terms: intent.definition === undefined ? {} : termsOf(intent.definition),
      inputs: intent.inputs.map((input) => toJson(ConditionResultSchema, input)),
    },
  };
}

/** What of a definition sizes an entry. */
function termsOf({ z1Entry, globalLimits }: StrategyDefinition): EntryTerms {
  const size = z1Entry?.positionSize;
  return {
    z1Entry: {
      positionSize:
        size === undefined
          ? undefined
          : { type: size.type === PositionSizeType.FIXED ? 'fixed' : 'percentage', value: size.value },
      stopLoss: offsetOf(z1Entry?.stopLoss),
      takeProfit: offsetOf(z1Entry?.takeProfit),
      leverage: z1Entry?.leverage,
    },
    globalLimits: { basePositionPct: globalLimits?.basePositionPct, maxLeverage: globalLimits?.maxLeverage },
  };
}

function offsetOf(exit: ExitOffset | undefined) {
  return exit === undefined ? undefined : { enabled: exit.enabled, offsetPercent: exit.offsetPercent };
}
