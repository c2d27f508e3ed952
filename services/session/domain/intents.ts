import type { Draft } from './draft.ts';
import { isHeld } from './draft.ts';
import { enter, rejectEntry } from './entering.ts';
import type { IntentBody } from './intent-body.ts';
import { tellNotClosed } from './positions.ts';
import type { ActivationRecord, SignalRecord } from './records.ts';

/** Carries out one intent. Each is carried out once: the caller marks it done in the same transaction. */
export function applyIntent(draft: Draft, intent: IntentBody): void {
  const activation = draft.activation(intent.instanceId);
  if (activation === undefined) return;
  switch (intent.type) {
    case 'SIGNAL':
      addSignal(draft, activation, intent);
      return;
    case 'SIGNAL_CANCELLED':
      cancelSignal(draft, intent);
      return;
    case 'ENTER':
      enterOrReject(draft, activation, intent);
      return;
    case 'EXIT':
      exit(draft, intent);
      return;
    case 'CANCEL_ENTRY':
      cancelEntry(draft, activation, intent);
      return;
    case 'INPUT_BLIND':
      blind(draft, activation, intent);
      return;
    case 'INPUT_FRESH':
      draft.setActivation(activation.instanceId, { blindTimeMs: null });
      return;
    default:
      throw new Error(`an intent of type ${String(intent.type satisfies never)} is not known`);
  }
}

function addSignal(draft: Draft, activation: ActivationRecord, intent: IntentBody): SignalRecord {
  const signal: SignalRecord = {
    id: intent.id,
    sessionId: draft.session.id,
    instanceId: activation.instanceId,
    strategyId: activation.strategyId,
    strategyName: activation.strategyName,
    symbol: activation.symbol,
    revision: intent.revision,
    state: 'DETECTED',
    reason: intent.reason,
    marketTimeMs: intent.marketTimeMs,
    price: intent.price,
    inputs: intent.inputs,
    commandId: '',
    positionId: '',
    createTimeMs: draft.nowMs,
    updateTimeMs: draft.nowMs,
  };
  draft.putSignal(signal);
  return signal;
}

function detectedSignal(draft: Draft, instanceId: string): SignalRecord | undefined {
  return draft.signals.findLast((signal) => signal.instanceId === instanceId && signal.state === 'DETECTED');
}

function cancelSignal(draft: Draft, intent: IntentBody): void {
  const signal = detectedSignal(draft, intent.instanceId);
  if (signal !== undefined) draft.setSignal(signal.id, { state: 'CANCELLED', reason: intent.reason });
}

function enterOrReject(draft: Draft, activation: ActivationRecord, intent: IntentBody): void {
  const signal = detectedSignal(draft, intent.instanceId) ?? addSignal(draft, activation, intent);
  const obstacle = obstacleOf(draft, activation);
  if (obstacle === undefined) enter(draft, activation, signal, intent);
  else rejectEntry(draft, signal, intent, obstacle.reason, obstacle.message);
}

function obstacleOf(draft: Draft, activation: ActivationRecord): { reason: string; message: string } | undefined {
  const { state, disconnectPolicy } = draft.session;
  if (state === 'PAUSED') return { reason: 'paused', message: 'the session is paused' };
  if (state !== 'ACTIVE') return { reason: 'session_stopping', message: `the session is ${state}` };
  if (activation.state !== 'ACTIVE') {
    return { reason: 'deactivated', message: `the strategy is ${activation.state} in this session` };
  }
  if (activation.blindTimeMs !== null && disconnectPolicy !== 'HOLD') {
    return { reason: 'blind_inputs', message: 'no prices come in, and the disconnect policy allows no entry then' };
  }
  const busy = draft.positions.find(
    (position) => position.instanceId === activation.instanceId && (isHeld(position) || position.state === 'ENTERING'),
  );
  if (busy === undefined) return undefined;
  return { reason: 'position_open', message: `position ${busy.id} of this instance is ${busy.state}` };
}

function exit(draft: Draft, intent: IntentBody): void {
  const position = draft.positions.find((each) => each.instanceId === intent.instanceId && isHeld(each));
  const reason = intent.section === 'EMERGENCY_EXIT' ? 'emergency_exit' : 'ze1_close';
  if (position?.state === 'OPEN') {
    draft.setPosition(position.id, {
      state: 'CLOSING',
      exitReason: reason,
      exitTimeMs: intent.marketTimeMs,
      closeIntentId: intent.id,
    });
    draft.want({
      requestId: intent.id,
      purpose: 'CLOSE',
      subjectId: position.id,
      wish: {
        type: 'CLOSE_POSITION',
        strategyId: position.strategyId,
        symbol: position.symbol,
        referencePrice: intent.price,
        referenceTimeMs: intent.marketTimeMs,
      },
    });
    return;
  }
  if (position?.state === 'CLOSING') {
    // A close is under way already; its end answers this intent too.
    draft.setPosition(position.id, { closeIntentId: intent.id });
    return;
  }
  const message =
    position === undefined ? 'there is no open position' : 'whether the entry was filled is not known yet';
  const why = position === undefined ? 'no_position' : 'entry_unknown';
  tellNotClosed(draft, {
    requestId: intent.id,
    instanceId: intent.instanceId,
    intentId: intent.id,
    reason: why,
    message,
    timeMs: intent.marketTimeMs,
  });
}

/** The entry is called back as far as it got; what becomes of it is told by the entry's own end. */
function cancelEntry(draft: Draft, activation: ActivationRecord, intent: IntentBody): void {
  const position = draft.positions.find(
    (each) => each.instanceId === intent.instanceId && (each.state === 'ENTERING' || each.state === 'UNKNOWN'),
  );
  if (position === undefined) return;
  draft.setCommand(position.id, { cancelWanted: true });
  wantCancelOrders(draft, activation, intent.id);
}

function blind(draft: Draft, activation: ActivationRecord, intent: IntentBody): void {
  draft.setActivation(activation.instanceId, { blindTimeMs: activation.blindTimeMs ?? draft.nowMs });
  if (draft.session.disconnectPolicy === 'CANCEL_ORDERS') wantCancelOrders(draft, activation, intent.id);
}

function wantCancelOrders(draft: Draft, { instanceId, strategyId, symbol }: ActivationRecord, requestId: string): void {
  draft.want({
    requestId,
    purpose: 'CANCEL',
    subjectId: instanceId,
    wish: { type: 'CANCEL_ORDERS', strategyId, symbol },
  });
}
