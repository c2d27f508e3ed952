import { create, fromJson } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { DisconnectPolicy, SessionMode, Side } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { ConditionResultSchema, PinPolicy } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import {
  type Activation,
  ActivationSchema,
  ActivationState,
  type Position,
  PositionSchema,
  PositionState,
  type Session,
  SessionSchema,
  SessionState,
  type Signal,
  SignalSchema,
  SignalState,
} from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { ActivationRecord, PositionRecord, SignalRecord } from '../domain/records.ts';
import type { SessionView } from '../domain/repository.ts';
import { timestampOf } from './time.ts';

export function sessionToProto({ session, activations }: SessionView): Session {
  return create(SessionSchema, {
    id: session.id,
    mode: SessionMode[session.mode],
    state: SessionState[session.state],
    reason: session.reason,
    executorId: session.executorId ?? '',
    executorName: session.executorName,
    pinPolicy: PinPolicy[session.pinPolicy],
    disconnectPolicy: DisconnectPolicy[session.disconnectPolicy],
    disconnectAfter: durationFromMs(session.disconnectAfterMs),
    initialBalance: session.initialBalance,
    equity: session.equity,
    realisedPnl: session.realisedPnl,
    maxDrawdownPct: session.maxDrawdownPct,
    activations: activations.map(activationToProto),
    createTime: timestampOf(session.createTimeMs),
    startTime: timestampOf(session.startTimeMs),
    stopTime: timestampOf(session.stopTimeMs),
    version: BigInt(session.version),
    dataset: session.dataset,
    progressPercent: session.progressPercent,
    freshness: freshnessOf(activations),
  });
}

function activationToProto(activation: ActivationRecord): Activation {
  return create(ActivationSchema, {
    instanceId: activation.instanceId,
    strategyId: activation.strategyId,
    strategyName: activation.strategyName,
    symbol: activation.symbol,
    revision: BigInt(activation.revision),
    state: ActivationState[activation.state],
    missing: [...activation.missing],
    commandId: activation.commandId,
    updateTime: timestampOf(activation.updateTimeMs),
  });
}

/** The worst of those that run, as far as evaluators tell it: blind or not. Nothing while none runs. */
function freshnessOf(activations: readonly ActivationRecord[]): Freshness {
  const running = activations.filter(({ state }) => state === 'ACTIVE' || state === 'DEACTIVATING');
  if (running.length === 0) return Freshness.UNSPECIFIED;
  return running.some(({ blindTimeMs }) => blindTimeMs !== null) ? Freshness.BLIND : Freshness.FRESH;
}

export function signalToProto(signal: SignalRecord): Signal {
  return create(SignalSchema, {
    id: signal.id,
    sessionId: signal.sessionId,
    instanceId: signal.instanceId,
    strategyId: signal.strategyId,
    strategyName: signal.strategyName,
    symbol: signal.symbol,
    revision: BigInt(signal.revision),
    state: SignalState[signal.state],
    reason: signal.reason,
    time: timestampOf(signal.marketTimeMs),
    price: signal.price,
    // Stored by this service in this form; nobody else writes it.
    inputs: signal.inputs.map((input) => fromJson(ConditionResultSchema, JSON.parse(JSON.stringify(input)))),
    commandId: signal.commandId,
    positionId: signal.positionId,
    updateTime: timestampOf(signal.updateTimeMs),
  });
}

/** An entry that came to nothing is a closed position to those who had seen it as unknown. */
const SHOWN_AS = {
  ENTERING: PositionState.UNKNOWN,
  OPEN: PositionState.OPEN,
  CLOSING: PositionState.CLOSING,
  CLOSED: PositionState.CLOSED,
  UNKNOWN: PositionState.UNKNOWN,
  NOT_OPENED: PositionState.CLOSED,
} as const;

export function positionToProto(position: PositionRecord): Position {
  return create(PositionSchema, {
    id: position.id,
    sessionId: position.sessionId,
    instanceId: position.instanceId,
    strategyId: position.strategyId,
    strategyName: position.strategyName,
    symbol: position.symbol,
    side: Side.BUY,
    state: SHOWN_AS[position.state],
    quantity: position.quantity,
    entryPrice: position.entryPrice,
    entryTime: timestampOf(position.entryTimeMs),
    stopLossPrice: position.stopLossPrice,
    takeProfitPrice: position.takeProfitPrice,
    leverage: position.leverage,
    exitPrice: position.exitPrice,
    exitTime: timestampOf(position.exitTimeMs),
    exitReason: position.exitReason,
    fee: position.fee,
    pnl: position.pnl,
    openCommandId: position.openCommandId,
    closeCommandId: position.closeCommandId,
  });
}
