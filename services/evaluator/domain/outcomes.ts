import type { CompiledStrategy } from './compiled-strategy.ts';
import { type Cause, Draft } from './draft.ts';
import type { InstanceData, OutcomeRecord, Section, Step } from './instance.ts';
import { coolDown } from './machine.ts';

/** How far the instance has looked at its symbol's events. */
export interface Evaluated {
  readonly sequence: number;
  readonly timeMs: number;
}

/**
 * Applies what became of an entry or exit, or what the venue did by itself. An outcome that no longer concerns the instance
 * changes nothing. A stop or target that an event has touched counts as that event's decision.
 */
export function onOutcome(
  data: InstanceData,
  strategy: CompiledStrategy,
  outcome: OutcomeRecord,
  evaluated: Evaluated,
): Step {
  const draft = new Draft(data, strategy, outcome.price);
  const timeMs = Math.max(outcome.timeMs, data.stateMs);
  switch (outcome.type) {
    case 'OPENED':
      opened(draft, outcome, timeMs);
      break;
    case 'NOT_OPENED':
      notOpened(draft, outcome, timeMs);
      break;
    case 'CLOSED':
      closed(draft, outcome, timeMs, evaluated);
      break;
    case 'NOT_CLOSED':
      notClosed(draft, outcome, timeMs);
      break;
    default:
      unknownType(outcome.type);
  }
  return draft.step();
}

/** Asks again for an exit that failed; `null` when there is none. */
export function askExitAgain(
  data: InstanceData,
  strategy: CompiledStrategy,
  nowMs: number,
  price: string,
): Step | null {
  const { exit } = data;
  if (exit === null || !exit.failed) return null;
  const draft = new Draft(data, strategy, price);
  const intentId = draft.ask('EXIT', { ...exit, timeMs: Math.max(nowMs, exit.timeMs) });
  draft.set({ exit: { ...exit, intentId, failed: false } });
  return draft.step();
}

/** Ends a signal because the instance is taken out of its session; anything else stays as it is. */
export function onDeactivated(data: InstanceData, strategy: CompiledStrategy, timeMs: number, price: string): Step {
  const draft = new Draft(data, strategy, price);
  if (data.state === 'SIGNAL_DETECTED') {
    const cause: Cause = { timeMs: Math.max(timeMs, data.stateMs), section: 'session', reason: 'deactivated' };
    const id = draft.ask('SIGNAL_CANCELLED', cause);
    draft.move('SIGNAL_CANCELLED', cause, null, id);
  }
  return draft.step();
}

/** Tells the session that the symbol's prices are gone, or back. */
export function onInputs(
  data: InstanceData,
  strategy: CompiledStrategy,
  type: 'INPUT_BLIND' | 'INPUT_FRESH',
  at: { readonly timeMs: number; readonly price: string },
): Step {
  const draft = new Draft(data, strategy, at.price);
  const reason = type === 'INPUT_BLIND' ? 'inputs_blind' : 'inputs_fresh';
  draft.ask(type, { timeMs: at.timeMs, section: 'session', reason });
  return draft.step();
}

function opened(draft: Draft, outcome: OutcomeRecord, timeMs: number): void {
  const { state, entry, refusedIntentId } = draft.data;
  if (state !== 'ENTRY_EVALUATION' || entry === null || !concerns(outcome, entry.intentId)) {
    if (outcome.intentId === '' || outcome.intentId !== refusedIntentId) return;
    // It was said to have had no effect, and had one: a position that no section would ever look after is closed.
    const cause: Cause = { timeMs, section: 'venue', reason: 'filled_late', message: outcome.message };
    draft.note(cause, draft.ask('EXIT', cause));
    draft.set({ refusedIntentId: '' });
    return;
  }
  draft.move('POSITION_ACTIVE', { timeMs, section: 'venue', reason: 'filled', message: outcome.message });
  const position = { price: outcome.price, quantity: outcome.quantity, entryMs: timeMs };
  draft.set({ entry: null, position, exit: null });
  if (entry.cancelling === null) return;
  const cause = {
    timeMs: entry.cancelling.timeMs,
    section: 'emergency_exit',
    reason: 'conditions_met',
    inputs: entry.cancelling.inputs,
  } as const;
  draft.set({ exit: { ...cause, intentId: draft.ask('EXIT', cause), failures: 0, failed: false } });
}

function notOpened(draft: Draft, outcome: OutcomeRecord, timeMs: number): void {
  const { state, entry } = draft.data;
  if (state !== 'ENTRY_EVALUATION' || entry === null || !concerns(outcome, entry.intentId)) return;
  draft.set({ entry: null, refusedIntentId: entry.intentId });
  if (entry.cancelling === null) {
    const reason = outcome.reason === '' ? 'rejected' : outcome.reason;
    draft.move('MONITORING', { timeMs, section: 'venue', reason, message: outcome.message });
    return;
  }
  const { inputs, timeMs: decidedMs } = entry.cancelling;
  const cause: Cause = { timeMs, section: 'emergency_exit', reason: 'conditions_met', inputs };
  coolDown(draft, 'EMERGENCY_EXIT', cause, decidedMs + draft.strategy.emergencyCooldownMs);
}

function closed(draft: Draft, outcome: OutcomeRecord, timeMs: number, evaluated: Evaluated): void {
  // A stop may be told before the fill that it followed.
  if (draft.data.state === 'ENTRY_EVALUATION') {
    draft.move('POSITION_ACTIVE', { timeMs, section: 'venue', reason: 'filled' });
    draft.set({ entry: null });
  }
  if (draft.data.state !== 'POSITION_ACTIVE') return;
  const { exit } = draft.data;
  const asked = exit !== null && !closedByItself(outcome);
  const section: Section = asked ? exit.section : (outcome.section ?? 'session');
  const reason = asked ? exit.reason : outcome.reason === '' ? 'closed' : outcome.reason;
  const cause: Cause = { timeMs, section, reason, message: outcome.message, inputs: asked ? exit.inputs : [] };
  const unseen = outcome.sequence === undefined ? timeMs > evaluated.timeMs : outcome.sequence > evaluated.sequence;
  const quiet = !asked && unseen ? { timeMs, sequence: outcome.sequence ?? null } : null;
  draft.set({ position: null, exit: null, quiet });
  if (asked && exit.section === 'emergency_exit') {
    coolDown(draft, 'EMERGENCY_EXIT', cause, exit.timeMs + draft.strategy.emergencyCooldownMs);
    return;
  }
  draft.move('EXITED', cause);
  draft.move('MONITORING', { timeMs, section, reason: 'exited' });
}

function notClosed(draft: Draft, outcome: OutcomeRecord, timeMs: number): void {
  const { state, exit } = draft.data;
  if (state !== 'POSITION_ACTIVE' || exit === null || exit.failed || !concerns(outcome, exit.intentId)) return;
  const { section, inputs, intentId } = exit;
  draft.note({ timeMs, section, reason: 'exit_failed', message: outcome.message, inputs }, intentId);
  draft.set({ exit: { ...exit, failures: exit.failures + 1, failed: true } });
}

/** An outcome without an intent concerns whatever is under way. */
function concerns(outcome: OutcomeRecord, intentId: string): boolean {
  return outcome.intentId === '' || outcome.intentId === intentId;
}

/** A stop, target or liquidation that came first wins over the exit that was asked for; so does an operator. */
function closedByItself({ section, intentId }: OutcomeRecord): boolean {
  if (section === 'stop_loss' || section === 'take_profit') return true;
  return intentId === '' && (section === 'session' || section === 'venue');
}

function unknownType(type: never): never {
  throw new Error(`no such outcome: ${String(type)}`);
}
