import { Code, ConnectError } from '@connectrpc/connect';
import { toJson } from '@bufbuild/protobuf';
import {
  ConditionResultSchema,
  type Evaluation,
  InstanceState,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type {
  BacktestSummary,
  RunBacktestResponse,
} from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { type Position, PositionState } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { Logger } from '../../platform/logger.ts';
import type { Draft } from '../domain/draft.ts';
import type { PositionRecord, SignalRecord } from '../domain/records.ts';
import type { SessionBook, SessionReader, SessionView } from '../domain/repository.ts';
import { isFinal } from '../domain/session-state.ts';
import { settleStart } from '../domain/starting.ts';
import { stretches } from '../follow/stretches.ts';
import type { Upstream } from '../upstream.ts';
import { millisecondsOf } from '../wire/time.ts';

const AGAIN_MS = 1_000;

export interface BacktestDependencies {
  readonly book: SessionBook;
  readonly reader: SessionReader;
  readonly upstream: Upstream;
  readonly logger: Logger;
}

/**
 * Follows the run of a back-test to its end and writes down what happens. A run that was broken off, or left by a replica
 * that is gone, is made again from the beginning: it is the same one, so what is written twice is the same.
 */
export async function runBacktest(deps: BacktestDependencies, view: SessionView, lost: AbortSignal): Promise<number> {
  const { book, upstream } = deps;
  const { session } = view;
  if (isFinal(session.state)) return Infinity;
  const fail = async (reason: string): Promise<number> => {
    await book.change(session.id, (draft) => {
      for (const { instanceId, state } of draft.activations) {
        if (state === 'PENDING') draft.setActivation(instanceId, { state: 'FAILED', missing: [reason] });
      }
      if (!isFinal(draft.session.state)) draft.step('FAILED', reason);
    });
    return Infinity;
  };
  if (upstream.backtests === undefined) return fail('this platform runs no back-test service');
  const over = new AbortController();
  const stop = (): void => over.abort();
  lost.addEventListener('abort', stop);
  try {
    const events = upstream.backtests.runBacktest(
      requestOf(view),
      upstream.as(session.accountId, { signal: over.signal, timeoutMs: 0 }),
    );
    for await (const stretch of stretches(events, over.signal)) {
      const goesOn = await book.change(session.id, (draft) => applyStretch(draft, stretch));
      if (goesOn !== true) return Infinity;
    }
    return over.signal.aborted ? 0 : await fail('the back-test ended without a summary');
  } catch (thrown) {
    if (lost.aborted) return 0;
    const { code, rawMessage } = ConnectError.from(thrown);
    // What may pass is tried again; what is wrong with the request stays wrong.
    if (code === Code.Unavailable || code === Code.ResourceExhausted || code === Code.Canceled) return AGAIN_MS;
    return fail(`the back-test failed: ${rawMessage}`);
  } finally {
    over.abort();
    lost.removeEventListener('abort', stop);
  }
}

function requestOf({ session, activations }: SessionView) {
  return {
    strategies: activations.map(({ strategyId, revision, instanceId }) => ({
      source: { case: 'strategy' as const, value: strategyId },
      revision: BigInt(revision),
      instanceId,
    })),
    data: { case: 'dataset' as const, value: session.dataset },
    symbol: activations[0]?.symbol ?? '',
    initialBalance: session.initialBalance,
    sessionId: session.id,
  };
}

/** Returns whether the run is still wanted. */
function applyStretch(draft: Draft, events: readonly RunBacktestResponse[]): boolean {
  if (isFinal(draft.session.state)) return false;
  for (const { instanceId, state } of draft.activations) {
    if (state === 'PENDING') draft.setActivation(instanceId, { applied: true, told: 'RUN' });
  }
  settleStart(draft);
  for (const { event } of events) {
    if (event.case === 'progressPercent') draft.setSession({ progressPercent: event.value });
    else if (event.case === 'evaluation') applyEvaluation(draft, event.value);
    else if (event.case === 'trade') applyTrade(draft, event.value);
    else if (event.case === 'summary') complete(draft, event.value);
  }
  return !isFinal(draft.session.state);
}

function applyEvaluation(draft: Draft, evaluation: Evaluation): void {
  const { instanceId, toState, blocked, reason } = evaluation;
  if (blocked) return;
  const activation = draft.activation(instanceId);
  if (activation === undefined) return;
  const open = draft.signals.findLast(
    (signal) => signal.instanceId === instanceId && (signal.state === 'DETECTED' || signal.state === 'ENTERING'),
  );
  if (toState === InstanceState.SIGNAL_DETECTED) {
    const signal: SignalRecord = {
      id: `${instanceId}:${evaluation.sequence}`,
      sessionId: draft.session.id,
      instanceId,
      strategyId: activation.strategyId,
      strategyName: activation.strategyName,
      symbol: activation.symbol,
      revision: Number(evaluation.revision),
      state: 'DETECTED',
      reason,
      marketTimeMs: millisecondsOf(evaluation.time) ?? draft.nowMs,
      price: evaluation.price,
      inputs: evaluation.inputs.map((input) => toJson(ConditionResultSchema, input)),
      commandId: '',
      positionId: '',
      createTimeMs: draft.nowMs,
      updateTimeMs: draft.nowMs,
    };
    draft.putSignal(signal);
  } else if (open === undefined) return;
  else if (toState === InstanceState.ENTRY_EVALUATION) draft.setSignal(open.id, { state: 'ENTERING', reason });
  else if (toState === InstanceState.POSITION_ACTIVE) draft.setSignal(open.id, { state: 'ENTERED', reason });
  else if (evaluation.fromState === InstanceState.ENTRY_EVALUATION)
    draft.setSignal(open.id, { state: 'REJECTED', reason });
  else draft.setSignal(open.id, { state: 'CANCELLED', reason });
}

function applyTrade(draft: Draft, trade: Position): void {
  const activation = draft.activation(trade.instanceId);
  if (activation === undefined) return;
  const closed = trade.state === PositionState.CLOSED;
  const position: PositionRecord = {
    id: trade.id,
    sessionId: draft.session.id,
    instanceId: trade.instanceId,
    strategyId: activation.strategyId,
    strategyName: activation.strategyName,
    symbol: trade.symbol,
    state: closed ? 'CLOSED' : 'OPEN',
    quantity: trade.quantity,
    closedQuantity: '',
    unpricedQuantity: '',
    entryPrice: trade.entryPrice,
    entryTimeMs: millisecondsOf(trade.entryTime) ?? draft.nowMs,
    stopLossPrice: trade.stopLossPrice,
    takeProfitPrice: trade.takeProfitPrice,
    leverage: trade.leverage,
    margin: '',
    exitPrice: trade.exitPrice,
    exitTimeMs: millisecondsOf(trade.exitTime),
    exitReason: trade.exitReason,
    fee: trade.fee,
    pnl: trade.pnl,
    openCommandId: '',
    closeCommandId: '',
    closeIntentId: '',
    unknownTimeMs: null,
    createTimeMs: draft.position(trade.id)?.createTimeMs ?? draft.nowMs,
    updateTimeMs: draft.nowMs,
  };
  draft.putPosition(position);
}

function complete(draft: Draft, { equity, realisedPnl, maxDrawdownPct }: BacktestSummary): void {
  draft.setSession({ equity, realisedPnl, maxDrawdownPct, progressPercent: 100 });
  for (const { instanceId, state } of draft.activations) {
    if (state === 'ACTIVE') draft.setActivation(instanceId, { state: 'INACTIVE', wanted: 'END', told: 'END' });
  }
  draft.step('COMPLETED', '');
}
