import { numberBeside } from '../../platform/number-beside.ts';
import type { ConditionResult, InstanceData } from './instance.ts';
import type { LiveView, SectionNow } from './live-view.ts';
import type { StoredInstance } from './stored-instance.ts';

/** What an instance waits for, in one sentence. */
export function explain(instance: StoredInstance, view: LiveView | undefined): string {
  switch (instance.status) {
    case 'FAILED':
      return `cannot run: ${instance.fault}`;
    case 'INACTIVE':
      return 'was deactivated, and decides nothing';
    case 'PENDING':
      if (instance.runningRevision === 0) return pending(instance);
      break;
    case 'ACTIVE':
    case 'CLOSING':
      break;
    default:
      return unknownStatus(instance.status);
  }
  if (instance.replicaId === '') return `has no owner: no evaluator is alive, or one is about to take it over`;
  const sentence = bySituation(view?.data ?? instance.data, instance, view);
  if (view?.valuesKnown === false) {
    return `${sentence} (its evaluator ${instance.replicaId} was not reached: this is what was stored last)`;
  }
  return sentence;
}

function pending(instance: StoredInstance): string {
  if (instance.replicaId === '') return 'is not applied yet: no evaluator has taken it';
  const reason = instance.fault === '' ? '' : `: ${instance.fault}`;
  return `is not applied yet: evaluator ${instance.replicaId} is making revision ${instance.wantedRevision} ready${reason}`;
}

function bySituation(data: InstanceData, instance: StoredInstance, view: LiveView | undefined): string {
  switch (data.state) {
    case 'MONITORING': {
      const held = heldBack(instance, view);
      return held === '' ? `waits for ${sectionSentence(view, 's1_signal')}` : `takes no signals: ${held}`;
    }
    case 'SIGNAL_DETECTED': {
      const held = heldBack(instance, view);
      const end = data.dueMs === null ? '' : `, until ${time(data.dueMs)}`;
      const entry = held === '' ? `waits for ${sectionSentence(view, 'z1_entry')}` : `takes no entries: ${held}`;
      return `has a signal since ${time(data.stateMs)} and ${entry}${end}`;
    }
    case 'SIGNAL_CANCELLED':
      return `gave its signal up at ${time(data.stateMs)} and cools down${until(data)}`;
    case 'ENTRY_EVALUATION':
      return data.entry?.cancelling === null || data.entry === null
        ? `asked for an entry at ${time(data.stateMs)} and waits for the venue's answer`
        : `asked to cancel its entry (emergency_exit) and waits for the venue's answer`;
    case 'POSITION_ACTIVE':
      return position(data, view);
    case 'EXITED':
      return 'has left its position';
    case 'EMERGENCY_EXIT':
      return `made an emergency exit at ${time(data.stateMs)} and cools down${until(data)}`;
    default:
      return unknownStatus(data.state);
  }
}

function position(data: InstanceData, view: LiveView | undefined): string {
  const held = `holds ${data.position?.quantity ?? '?'} entered at ${data.position?.price ?? '?'}`;
  if (data.exit === null) {
    const close = view?.sections.find(({ section }) => section === 'ze1_close');
    if (close?.conditions.length === 0) {
      return `${held}; ze1_close has no conditions, so a stop, a target, an emergency exit or an operator ends it`;
    }
    return `${held} and waits for ${sectionSentence(view, 'ze1_close')}`;
  }
  const exit = `${data.exit.section}, since ${time(data.exit.timeMs)}`;
  return data.exit.failed
    ? `${held}; its exit (${exit}) has failed ${data.exit.failures} times and is asked for again`
    : `${held} and waits for the answer to its exit (${exit})`;
}

function heldBack(instance: StoredInstance, view: LiveView | undefined): string {
  if (view?.paused ?? instance.paused) return 'it is paused';
  const freshness = view?.freshness ?? instance.freshness;
  if (freshness === 'STALE') return `the prices of ${instance.symbol} are stale`;
  if (freshness === 'BLIND') return `there are no prices of ${instance.symbol}`;
  return '';
}

function sectionSentence(view: LiveView | undefined, name: SectionNow['section']): string {
  const section = view?.sections.find((each) => each.section === name);
  if (section === undefined) return name;
  if (section.conditions.length === 0) return `${name}, which has no conditions and never fires`;
  if (view?.valuesKnown === false) return name;
  const open = section.conditions.filter(({ result }) => !result);
  if (open.length === 0) return `${name}: all of its conditions hold, and the next event decides`;
  return `${name}: ${open.map(conditionSentence).join('; ')}`;
}

function conditionSentence({ indicatorId, actual, operator, value, note }: ConditionResult): string {
  if (actual === null) return `${indicatorId} has ${note === '' ? 'no value' : note}, must be ${operator} ${value}`;
  return `${indicatorId} is ${numberBeside(actual, value)}, must be ${operator} ${value}`;
}

function until(data: InstanceData): string {
  return data.dueMs === null ? '' : ` until ${time(data.dueMs)}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function unknownStatus(status: never): never {
  throw new Error(`no such status: ${String(status)}`);
}
