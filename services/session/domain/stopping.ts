import { type Draft, isHeld } from './draft.ts';
import { type ActivationRecord, PUT_OFF_MS_MAX } from './records.ts';
import { isFinal } from './session-state.ts';
import { notOpened } from './positions.ts';

/** Before the first repeat of a stop that did not succeed; doubled with each, up to the most. */
const AGAIN_FIRST_MS = 1_000;

/** Ends a session: instances at once, then the executor's session, with its positions or without. Repeats are harmless. */
export function stopSession(draft: Draft, closePositions: boolean, reason: string): void {
  const { session } = draft;
  if (isFinal(session.state)) return;
  const more = session.state === 'STOPPING' && closePositions && !session.closePositions;
  if (session.state === 'STOPPING' && !more) return;
  draft.setSession({ closePositions, ...(more ? { stopAttempt: session.stopAttempt + 1 } : {}) });
  endEverything(draft);
  if (session.mode === 'BACKTEST') {
    draft.step('STOPPED', reason);
    return;
  }
  draft.step('STOPPING', reason);
  wantStop(draft);
}

/** Stops a session for the kill switch. Its executor is told by the switch's own command, which this names. */
export function haltSession(draft: Draft, haltId: string, closePositions: boolean): void {
  const { session } = draft;
  if (isFinal(session.state)) return;
  draft.setSession({ haltId, closePositions: closePositions || session.closePositions });
  endEverything(draft);
  draft.step(session.mode === 'BACKTEST' ? 'STOPPED' : 'STOPPING', `stopped by the kill switch (halt ${haltId})`);
}

/** Takes back what a failed start has begun. */
export function tidyUp(draft: Draft): void {
  draft.setSession({ closePositions: true });
  endInstances(draft);
  if (draft.session.mode !== 'BACKTEST') wantStop(draft);
}

/** The next stop, after one that did not succeed; later from time to time, so that a venue that refuses it is not overrun. */
export function stopAgain(draft: Draft, why: string): void {
  const delayMs = Math.min(PUT_OFF_MS_MAX, AGAIN_FIRST_MS * 2 ** Math.min(draft.session.stopAttempt, 10));
  draft.setSession({
    stopAttempt: draft.session.stopAttempt + 1,
    ...(draft.session.state === 'STOPPING' ? { reason: `the stop is repeated: ${why}` } : {}),
  });
  wantStop(draft, delayMs);
}

/** Everything of the session is over at the executor. */
export function finishStop(draft: Draft): void {
  for (const { instanceId, state } of draft.activations) {
    if (state === 'DEACTIVATING' || state === 'ACTIVE' || state === 'PENDING') {
      draft.setActivation(instanceId, { state: 'INACTIVE', missing: [], wanted: 'END' });
    }
  }
  if (draft.session.state === 'STOPPING') draft.step('STOPPED', draft.session.reason);
}

/** Takes a strategy out of the session. */
export function deactivate(draft: Draft, activations: readonly ActivationRecord[], closePositions: boolean): void {
  for (const activation of activations) {
    if (activation.state !== 'ACTIVE' && activation.state !== 'PENDING' && activation.state !== 'DEACTIVATING')
      continue;
    const wanted = closePositions || activation.wanted === 'END' ? 'END' : 'CLOSE';
    draft.setActivation(activation.instanceId, { state: 'DEACTIVATING', missing: [], wanted, closePositions });
    if (wanted !== 'END') continue;
    dropEntries(draft, activation.instanceId, 'deactivated');
    wantStopStrategy(draft, activation, closePositions);
  }
}

/** The instance takes no signals any more and holds nothing: its executor may forget it. */
export function wantStopStrategy(draft: Draft, activation: ActivationRecord, closePositions: boolean): void {
  const { instanceId, strategyId, symbol } = activation;
  if (draft.session.mode === 'BACKTEST') draft.setActivation(instanceId, { state: 'INACTIVE' });
  draft.want({
    requestId: `stop:${instanceId}`,
    purpose: 'STOP_STRATEGY',
    subjectId: instanceId,
    wish: { type: 'STOP_STRATEGY', strategyId, symbol, closePositions },
  });
}

function endEverything(draft: Draft): void {
  endInstances(draft);
  for (const { instanceId } of draft.activations) dropEntries(draft, instanceId, 'session_stopping');
  for (const { id, state } of draft.signals) {
    if (state === 'DETECTED') draft.setSignal(id, { state: 'CANCELLED', reason: 'session_stopping' });
  }
}

function endInstances(draft: Draft): void {
  for (const { instanceId, state } of draft.activations) {
    const ends = state === 'PENDING' || state === 'ACTIVE' || state === 'DEACTIVATING';
    draft.setActivation(instanceId, { wanted: 'END', ...(ends ? { state: 'DEACTIVATING', missing: [] } : {}) });
  }
}

/**
 * Entries that have not been given to the command service are given up. Should another replica be giving one of them at this
 * moment, the executor refuses it: it comes after the stop.
 */
function dropEntries(draft: Draft, instanceId: string, reason: string): void {
  for (const command of draft.commands) {
    if (command.purpose !== 'OPEN' || command.state !== 'WANTED') continue;
    const position = draft.position(command.subjectId);
    if (position?.instanceId !== instanceId) continue;
    draft.setCommand(command.requestId, { state: 'DROPPED', reason, finishTimeMs: draft.nowMs });
    notOpened(draft, position.id, reason, 'the entry was given up before it was sent');
  }
}

function wantStop(draft: Draft, delayMs = 0): void {
  const { id, stopAttempt, closePositions } = draft.session;
  const wish = { type: 'STOP_SESSION', closePositions, critical: false } as const;
  draft.want({ requestId: `stop:${id}:${stopAttempt}`, purpose: 'STOP_SESSION', subjectId: id, wish }, delayMs);
}

/** Positions that the session holds, or perhaps holds. */
export function heldCount(draft: Draft): number {
  return draft.positions.filter(isHeld).length;
}
