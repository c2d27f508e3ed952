import {
  type ConditionResult,
  type Evaluation,
  type Instance,
  InstanceState,
  InstanceStatus,
  PinPolicy,
  Section,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { ExplainInstanceResponse } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { numberBeside } from '../../platform/number-beside.ts';
import { OPERATORS } from '../strategy/operator.ts';
import type { Output } from '../terminal/output.ts';
import { formatTime } from '../terminal/time.ts';
import { valueName } from '../terminal/value-name.ts';

export const INSTANCE_COLUMNS = ['id', 'session', 'strategy', 'symbol', 'status', 'state', 'revision', 'evaluator'];

export function instanceRow(instance: Instance): string[] {
  const paused = instance.paused ? ', paused' : '';
  const pinned = instance.pinPolicy === PinPolicy.PINNED ? ', pinned' : '';
  return [
    instance.id,
    instance.sessionId,
    instance.strategyName === '' ? instance.strategyId : instance.strategyName,
    instance.symbol,
    `${valueName(InstanceStatus, instance.status)}${paused}`,
    valueName(InstanceState, instance.state),
    `${instance.runningRevision}${pinned}`,
    instance.replicaId === '' ? 'none' : instance.replicaId,
  ];
}

/** "14:02:00.000  MONITORING → SIGNAL_DETECTED  s1_signal: conditions_met  (pump_magnitude_pct 6.1 >= 5)  at 42000" */
export function evaluationText(evaluation: Evaluation): string {
  const { fromState, toState, blocked, section, reason, message, inputs, price } = evaluation;
  const step = blocked
    ? `${valueName(InstanceState, fromState)}, held back`
    : `${valueName(InstanceState, fromState)} → ${valueName(InstanceState, toState)}`;
  return [
    formatTime(evaluation.time),
    step,
    `${valueName(Section, section).toLowerCase()}: ${reason}${message === '' ? '' : ` (${message})`}`,
    inputs.length === 0 ? '' : `(${inputs.map(conditionText).join(', ')})`,
    price === '' ? '' : `at ${price}`,
  ]
    .filter((part) => part !== undefined && part !== '')
    .join('  ');
}

/** "pump_magnitude_pct 6.1 >= 5", or without a value "pump_magnitude_pct (no value yet) >= 5". */
export function conditionText({ indicatorId, actual, note, operator, value }: ConditionResult): string {
  const told = actual === undefined ? `(${note === '' ? 'no value' : note})` : String(numberBeside(actual, value));
  return `${indicatorId} ${told} ${valueName(OPERATORS, operator)} ${value}`;
}

/** Everything that an explanation tells. */
export function showExplanation(out: Output, { instance, sentence, sections, recent }: ExplainInstanceResponse): void {
  if (instance === undefined) return;
  out.say(sentence);
  out.say('');
  out.details([
    ['instance', instance.id],
    ['session', instance.sessionId],
    ['strategy', `${instance.strategyName} (${instance.strategyId})`],
    ['symbol', instance.symbol],
    ['status', `${valueName(InstanceStatus, instance.status)}${instance.paused ? ', paused' : ''}`],
    ['state', `${valueName(InstanceState, instance.state)}${since(formatTime(instance.stateTime))}`],
    ['until', formatTime(instance.dueTime)],
    ['revision', `${instance.runningRevision} (activated with ${instance.wantedRevision})`],
    ['prices', instance.freshness === Freshness.UNSPECIFIED ? '' : valueName(Freshness, instance.freshness)],
    ['last event', formatTime(instance.evaluatedTime)],
    ['entered at', instance.entryPrice],
    ['quantity', instance.quantity],
    ['evaluator', instance.replicaId],
    ['fault', instance.fault],
  ]);
  for (const { section, active, conditions } of sections) {
    if (conditions.length === 0) continue;
    out.say('');
    out.say(`${valueName(Section, section).toLowerCase()}${active ? '' : ' (not looked at in this state)'}`);
    for (const condition of conditions) out.say(`  ${condition.result ? '✓' : '✗'} ${conditionText(condition)}`);
  }
  if (recent.length === 0) return;
  out.say('');
  for (const evaluation of recent) out.say(evaluationText(evaluation));
}

function since(time: string | undefined): string {
  return time === undefined ? '' : ` since ${time}`;
}
