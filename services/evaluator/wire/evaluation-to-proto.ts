import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ConditionResultSchema,
  type Evaluation,
  EvaluationSchema,
  InstanceState as StateMessage,
  type Intent,
  IntentSchema,
  IntentType as IntentTypeMessage,
  Section as SectionMessage,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { StrategyDefinition } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { ConditionResult, InstanceState, IntentRecord, IntentType, Section } from '../domain/instance.ts';
import type { StoredEvaluation } from '../domain/stored-instance.ts';
import { operatorToProto } from './rules-from-proto.ts';

const STATES: Readonly<Record<InstanceState, StateMessage>> = {
  MONITORING: StateMessage.MONITORING,
  SIGNAL_DETECTED: StateMessage.SIGNAL_DETECTED,
  SIGNAL_CANCELLED: StateMessage.SIGNAL_CANCELLED,
  ENTRY_EVALUATION: StateMessage.ENTRY_EVALUATION,
  POSITION_ACTIVE: StateMessage.POSITION_ACTIVE,
  EXITED: StateMessage.EXITED,
  EMERGENCY_EXIT: StateMessage.EMERGENCY_EXIT,
};

const SECTIONS: Readonly<Record<Section, SectionMessage>> = {
  s1_signal: SectionMessage.S1_SIGNAL,
  o1_cancel: SectionMessage.O1_CANCEL,
  z1_entry: SectionMessage.Z1_ENTRY,
  ze1_close: SectionMessage.ZE1_CLOSE,
  emergency_exit: SectionMessage.EMERGENCY_EXIT,
  stop_loss: SectionMessage.STOP_LOSS,
  take_profit: SectionMessage.TAKE_PROFIT,
  venue: SectionMessage.VENUE,
  cooldown: SectionMessage.COOLDOWN,
  session: SectionMessage.SESSION,
};

const INTENT_TYPES: Readonly<Record<IntentType, IntentTypeMessage>> = {
  ENTER: IntentTypeMessage.ENTER,
  EXIT: IntentTypeMessage.EXIT,
  CANCEL_ENTRY: IntentTypeMessage.CANCEL_ENTRY,
  SIGNAL: IntentTypeMessage.SIGNAL,
  SIGNAL_CANCELLED: IntentTypeMessage.SIGNAL_CANCELLED,
  INPUT_BLIND: IntentTypeMessage.INPUT_BLIND,
  INPUT_FRESH: IntentTypeMessage.INPUT_FRESH,
};

export function stateToProto(state: InstanceState): StateMessage {
  return STATES[state];
}

export function sectionToProto(section: Section | null): SectionMessage {
  return section === null ? SectionMessage.UNSPECIFIED : SECTIONS[section];
}

/** Undefined for the unspecified one; null for one that this release does not know. */
export function sectionFromProto(section: SectionMessage): Section | undefined | null {
  if (section === SectionMessage.UNSPECIFIED) return undefined;
  return SECTIONS_BY_NUMBER.get(section) ?? null;
}

const SECTIONS_BY_NUMBER: ReadonlyMap<number, Section> = new Map([
  [SectionMessage.S1_SIGNAL, 's1_signal'],
  [SectionMessage.O1_CANCEL, 'o1_cancel'],
  [SectionMessage.Z1_ENTRY, 'z1_entry'],
  [SectionMessage.ZE1_CLOSE, 'ze1_close'],
  [SectionMessage.EMERGENCY_EXIT, 'emergency_exit'],
  [SectionMessage.STOP_LOSS, 'stop_loss'],
  [SectionMessage.TAKE_PROFIT, 'take_profit'],
  [SectionMessage.VENUE, 'venue'],
  [SectionMessage.COOLDOWN, 'cooldown'],
  [SectionMessage.SESSION, 'session'],
]);

export function conditionToProto(condition: ConditionResult): MessageInitShape<typeof ConditionResultSchema> {
  const { actual, operator, ...rest } = condition;
  return { ...rest, operator: operatorToProto(operator), ...(actual === null ? {} : { actual }) };
}

export function evaluationToProto(evaluation: StoredEvaluation): Evaluation {
  return create(EvaluationSchema, {
    sequence: BigInt(evaluation.number),
    instanceId: evaluation.instanceId,
    sessionId: evaluation.sessionId,
    strategyId: evaluation.strategyId,
    strategyName: evaluation.strategyName,
    symbol: evaluation.symbol,
    fromState: STATES[evaluation.from],
    toState: STATES[evaluation.to],
    time: timestampFromMs(evaluation.timeMs),
    recordTime: timestampFromMs(Math.floor(evaluation.recordMs)),
    section: SECTIONS[evaluation.section],
    reason: evaluation.reason,
    message: evaluation.message,
    revision: BigInt(evaluation.revision),
    inputs: evaluation.inputs.map(conditionToProto),
    price: evaluation.price,
    blocked: evaluation.blocked,
    intentId: evaluation.intentId,
    replicaId: evaluation.replicaId,
    leaseEpoch: BigInt(evaluation.leaseEpoch),
  });
}

/** Whose intent it is. */
export interface Asking {
  readonly id: string;
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
}

/** An intent as it is handed to the session, with the definition that decided it. */
export function intentToProto(asking: Asking, intent: IntentRecord, definition: StrategyDefinition): Intent {
  return create(IntentSchema, {
    id: intent.id,
    instanceId: asking.id,
    sessionId: asking.sessionId,
    strategyId: asking.strategyId,
    symbol: asking.symbol,
    type: INTENT_TYPES[intent.type],
    section: sectionToProto(intent.section),
    reason: intent.reason,
    revision: BigInt(intent.revision),
    time: timestampFromMs(Math.round(intent.timeMs)),
    price: intent.price,
    definition,
    inputs: intent.inputs.map(conditionToProto),
  });
}
