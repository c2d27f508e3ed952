import type { Draft } from './draft.ts';
import type { IntentBody } from './intent-body.ts';
import { freeEquity, sizingEquity, tellNotOpened } from './positions.ts';
import type { ActivationRecord, SignalRecord } from './records.ts';
import { entryOrder } from './sizing.ts';

/** An entry that has not begun by then is stale: the market has moved on. */
const ENTRY_MS_MAX = 60_000;

/** Sizes an entry and wants its command, or rejects it with the reason. */
export function enter(draft: Draft, activation: ActivationRecord, signal: SignalRecord, intent: IntentBody): void {
  const equity = sizingEquity(draft);
  if (equity === '') {
    rejectEntry(draft, signal, intent, 'equity_unknown', 'the executor has not reported its equity yet');
    return;
  }
  const order = entryOrder(intent.terms, equity, intent.price, freeEquity(draft, equity));
  if ('rejected' in order) {
    rejectEntry(draft, signal, intent, order.rejected, order.message);
    return;
  }
  followRevision(draft, activation, intent.revision);
  const { strategyId, symbol } = activation;
  draft.putPosition({
    id: intent.id,
    sessionId: draft.session.id,
    instanceId: activation.instanceId,
    strategyId,
    strategyName: activation.strategyName,
    symbol,
    state: 'ENTERING',
    quantity: order.quantity,
    closedQuantity: '',
    unpricedQuantity: '',
    entryPrice: intent.price,
    entryTimeMs: intent.marketTimeMs,
    stopLossPrice: order.stopLossPrice,
    takeProfitPrice: order.takeProfitPrice,
    leverage: order.leverage,
    margin: order.margin,
    exitPrice: '',
    exitTimeMs: null,
    exitReason: '',
    fee: '',
    pnl: '',
    openCommandId: '',
    closeCommandId: '',
    closeIntentId: '',
    unknownTimeMs: null,
    createTimeMs: draft.nowMs,
    updateTimeMs: draft.nowMs,
  });
  draft.setSignal(signal.id, { state: 'ENTERING', reason: intent.reason, positionId: intent.id });
  draft.want({
    requestId: intent.id,
    purpose: 'OPEN',
    subjectId: intent.id,
    wish: {
      type: 'OPEN_POSITION',
      strategyId,
      symbol,
      quantity: order.quantity,
      referencePrice: intent.price,
      referenceTimeMs: intent.marketTimeMs,
      stopLossPrice: order.stopLossPrice,
      takeProfitPrice: order.takeProfitPrice,
      leverage: order.leverage,
      revision: intent.revision,
      notAfterMs: draft.nowMs + ENTRY_MS_MAX,
    },
  });
}

export function rejectEntry(
  draft: Draft,
  signal: SignalRecord,
  intent: Pick<IntentBody, 'id' | 'instanceId' | 'marketTimeMs'>,
  reason: string,
  message: string,
): void {
  draft.setSignal(signal.id, { state: 'REJECTED', reason: `${reason}: ${message}` });
  const { id: intentId, instanceId, marketTimeMs: timeMs } = intent;
  tellNotOpened(draft, { intentId, instanceId, reason, message, timeMs });
}

/** The executor hears of the revision that decides, before its order comes: the order asks for exactly that revision. */
function followRevision(draft: Draft, activation: ActivationRecord, revision: number): void {
  if (activation.revision === revision) return;
  const { instanceId, strategyId, symbol } = activation;
  const startRequestId = `start:${instanceId}:${revision}`;
  draft.setActivation(instanceId, { revision, startRequestId });
  draft.want({
    requestId: startRequestId,
    purpose: 'START_STRATEGY',
    subjectId: instanceId,
    wish: { type: 'START_STRATEGY', strategyId, symbol, revision },
  });
}
