import { type CompiledStrategy, type RuleSectionName, SECTION_BIT } from './compiled-strategy.ts';
import { Draft } from './draft.ts';
import type { ConditionResult, Gate, InstanceData, MarketMoment, Quiet, Step } from './instance.ts';

const NOTHING = { records: [], intents: [] } as const;

/** What an event shows of the sections that are looked at. */
export interface SectionView {
  /** The sections that hold, as bits. */
  readonly truth: number;
  /** The conditions of a section, for the record. */
  readonly inputs: (section: RuleSectionName, note?: string) => readonly ConditionResult[];
}

/**
 * Takes an instance through one event: timers that fell due before it, a cooldown that ends with it, then at most one decision.
 * Outcomes of stops and targets that this event has touched are to be applied before it, by `onOutcome`. `priceBefore` is the
 * decimal of the event before, at which those timers are told; empty where nobody knows it.
 */
export function onEvent(
  data: InstanceData,
  strategy: CompiledStrategy,
  event: MarketMoment,
  view: (data: InstanceData) => SectionView,
  gate: Gate,
  priceBefore: string,
): Step {
  const draft = new Draft(data, strategy, priceBefore);
  fireTimers(draft, event.timeMs, event.price);
  draft.price = event.price;
  if (draft.data.quiet === null) decide(draft, event.timeMs, view, gate);
  else {
    if (!covers(draft.data.quiet, event)) decide(draft, event.timeMs, view, gate);
    draft.set({ quiet: null });
  }
  return draft.changed ? draft.step() : { instance: data, ...NOTHING };
}

/** Fires what is due by the clock although no event has come; the result is the same as with the next event. */
export function onClock(data: InstanceData, strategy: CompiledStrategy, nowMs: number, price: string): Step {
  const draft = new Draft(data, strategy, price);
  fireTimers(draft, nowMs, price);
  return draft.changed ? draft.step() : { instance: data, ...NOTHING };
}

/** The latest event that a stop's decision stands for: none of its time or before is decided again. */
function covers(quiet: Quiet, event: MarketMoment): boolean {
  return quiet.sequence === null ? event.timeMs <= quiet.timeMs : event.sequence <= quiet.sequence;
}

/** A timeout at exactly `timeMs` is left to the decision; a cooldown that ends then is over, and is told at its `price`. */
function fireTimers(draft: Draft, timeMs: number, price: string): void {
  for (;;) {
    const { state, dueMs } = draft.data;
    if (dueMs === null) return;
    if (dueMs === timeMs) draft.price = price;
    if (state === 'SIGNAL_DETECTED' && dueMs < timeMs) giveUp(draft, dueMs, 'timeout', []);
    else if ((state === 'SIGNAL_CANCELLED' || state === 'EMERGENCY_EXIT') && dueMs <= timeMs)
      cooldownOver(draft, dueMs);
    else return;
  }
}

function decide(draft: Draft, timeMs: number, look: (data: InstanceData) => SectionView, gate: Gate): void {
  const { state } = draft.data;
  if (state === 'SIGNAL_CANCELLED' || state === 'EMERGENCY_EXIT' || state === 'EXITED') return;
  const view = look(draft.data);
  const { truth } = view;
  const { cancelPending, closePosition } = draft.strategy;
  const emergency = (truth & SECTION_BIT.emergency_exit) !== 0;
  switch (state) {
    case 'MONITORING':
      if ((truth & SECTION_BIT.s1_signal) !== 0) signal(draft, timeMs, view, gate);
      return;
    case 'SIGNAL_DETECTED':
      if (emergency && cancelPending) emergencyOfSignal(draft, timeMs, view);
      else if ((truth & SECTION_BIT.o1_cancel) !== 0) giveUp(draft, timeMs, 'conditions_met', view.inputs('o1_cancel'));
      else if (draft.data.dueMs !== null && draft.data.dueMs <= timeMs) giveUp(draft, timeMs, 'timeout', []);
      else if ((truth & SECTION_BIT.z1_entry) !== 0) enter(draft, timeMs, view, gate);
      return;
    case 'ENTRY_EVALUATION':
      if (emergency && cancelPending) cancelEntry(draft, timeMs, view);
      return;
    case 'POSITION_ACTIVE':
      if (draft.data.exit !== null) return;
      if (emergency && closePosition) exit(draft, timeMs, 'emergency_exit', view);
      else if ((truth & SECTION_BIT.ze1_close) !== 0) exit(draft, timeMs, 'ze1_close', view);
      return;
    default:
      unknownState(state);
  }
}

function signal(draft: Draft, timeMs: number, view: SectionView, gate: Gate): void {
  if (heldBack(draft, timeMs, 's1_signal', view, gate)) return;
  const { timeoutMs } = draft.strategy;
  const cause = met(timeMs, 's1_signal', view);
  const id = draft.ask('SIGNAL', cause);
  draft.move('SIGNAL_DETECTED', cause, timeoutMs === null ? null : timeMs + timeoutMs, id);
}

function enter(draft: Draft, timeMs: number, view: SectionView, gate: Gate): void {
  if (heldBack(draft, timeMs, 'z1_entry', view, gate)) return;
  const cause = met(timeMs, 'z1_entry', view);
  const intentId = draft.ask('ENTER', cause);
  draft.move('ENTRY_EVALUATION', cause, null, intentId);
  draft.set({ entry: { intentId, cancelling: null } });
}

function heldBack(draft: Draft, timeMs: number, section: RuleSectionName, view: SectionView, gate: Gate): boolean {
  if (gate === '') return false;
  const inputs = view.inputs(section, gate === 'stale_inputs' ? 'stale' : '');
  draft.block({ timeMs, section, reason: gate, inputs });
  return true;
}

function emergencyOfSignal(draft: Draft, timeMs: number, view: SectionView): void {
  const cause = met(timeMs, 'emergency_exit', view);
  const id = draft.ask('SIGNAL_CANCELLED', cause);
  coolDown(draft, 'EMERGENCY_EXIT', cause, timeMs + draft.strategy.emergencyCooldownMs, id);
}

function giveUp(draft: Draft, timeMs: number, reason: string, inputs: readonly ConditionResult[]): void {
  const cause = { timeMs, section: 'o1_cancel', reason, inputs } as const;
  const id = draft.ask('SIGNAL_CANCELLED', cause);
  coolDown(draft, 'SIGNAL_CANCELLED', cause, timeMs + draft.strategy.cancelCooldownMs, id);
}

function cancelEntry(draft: Draft, timeMs: number, view: SectionView): void {
  const { entry } = draft.data;
  if (entry === null || entry.cancelling !== null) return;
  const cause = met(timeMs, 'emergency_exit', view);
  draft.ask('CANCEL_ENTRY', cause);
  draft.set({ entry: { ...entry, cancelling: { timeMs, inputs: cause.inputs } } });
}

function exit(draft: Draft, timeMs: number, section: 'ze1_close' | 'emergency_exit', view: SectionView): void {
  const cause = met(timeMs, section, view);
  const intentId = draft.ask('EXIT', cause);
  draft.set({ exit: { ...cause, intentId, failures: 0, failed: false } });
}

function met(timeMs: number, section: RuleSectionName, view: SectionView) {
  return { timeMs, section, reason: 'conditions_met', inputs: view.inputs(section) };
}

/** Into a state that waits for its cooldown, or through it when there is none left. */
export function coolDown(
  draft: Draft,
  state: 'SIGNAL_CANCELLED' | 'EMERGENCY_EXIT',
  cause: Parameters<Draft['move']>[1],
  dueMs: number,
  intentId = '',
): void {
  draft.move(state, cause, dueMs, intentId);
  if (dueMs <= cause.timeMs) cooldownOver(draft, cause.timeMs);
}

function cooldownOver(draft: Draft, timeMs: number): void {
  draft.move('MONITORING', { timeMs, section: 'cooldown', reason: 'cooldown_over' });
}

function unknownState(state: never): never {
  throw new Error(`no such instance state: ${String(state)}`);
}
