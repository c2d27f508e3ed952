import {
  type CancelOrders,
  type ClosePosition,
  DisconnectPolicySchema,
  type OpenPosition,
  type Ping,
  SessionModeSchema,
  SideSchema,
  type StartSession,
  type StartStrategy,
  type StopStrategy,
} from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { SPAN_MS_MAX } from '../domain/kind.ts';
import type { FieldChecks } from './field-checks.ts';
import type { KindValue } from './payload.ts';
import { millisecondsOfTimestamp } from './time.ts';

const SYMBOLS_MAX = 256;
const PING_CHARS_MAX = 256;

/** Checks the fields of one kind. What an agent could only refuse later is refused here, where the caller still listens. */
export function checkKind(kind: KindValue, checks: FieldChecks): void {
  switch (kind.case) {
    case 'startStrategy':
      return checkStartStrategy(kind.value, checks);
    case 'stopStrategy':
      return checkInstance(kind.value, checks);
    case 'pause':
    case 'resume':
      return checks.text('session_id', kind.value.sessionId);
    case 'startSession':
      return checkStartSession(kind.value, checks);
    case 'stopSession':
      return checks.text('session_id', kind.value.sessionId, { required: true });
    case 'openPosition':
      return checkOpenPosition(kind.value, checks);
    case 'closePosition':
      return checkClosePosition(kind.value, checks);
    case 'cancelOrders':
      return checkTarget(kind.value, checks);
    case 'ping':
      return checkPing(kind.value, checks);
    case 'stopAll':
    case 'getStatus':
      return undefined;
    default:
      return kind satisfies never;
  }
}

function checkInstance(value: StartStrategy | StopStrategy, checks: FieldChecks): void {
  checks.text('session_id', value.sessionId, { required: true });
  checks.text('strategy_id', value.strategyId, { required: true });
  checks.text('symbol', value.symbol, { required: true });
}

function checkStartStrategy(value: StartStrategy, checks: FieldChecks): void {
  checkInstance(value, checks);
  checks.integer('strategy_revision', value.strategyRevision, 0, Number.MAX_SAFE_INTEGER);
}

function checkStartSession(value: StartSession, checks: FieldChecks): void {
  checks.text('session_id', value.sessionId, { required: true });
  checks.enumeration('mode', SessionModeSchema, value.mode, { required: true });
  checks.decimal('initial_balance', value.initialBalance);
  checks.enumeration('disconnect_policy', DisconnectPolicySchema, value.disconnectPolicy);
  checks.span('disconnect_after', value.disconnectAfter, SPAN_MS_MAX);
  if (value.symbols.length > SYMBOLS_MAX) {
    checks.add('symbols', `must have at most ${SYMBOLS_MAX} entries, has ${value.symbols.length}`);
    return;
  }
  value.symbols.forEach((symbol, index) => checks.text(`symbols[${index}]`, symbol, { required: true }));
}

function checkTarget(value: OpenPosition | ClosePosition | CancelOrders, checks: FieldChecks): void {
  checks.text('session_id', value.sessionId);
  checks.text('strategy_id', value.strategyId);
  checks.text('symbol', value.symbol);
}

function checkOpenPosition(value: OpenPosition, checks: FieldChecks): void {
  checks.text('session_id', value.sessionId);
  checks.text('strategy_id', value.strategyId);
  checks.text('symbol', value.symbol, { required: true });
  checks.enumeration('side', SideSchema, value.side, { required: true });
  checks.decimal('quantity', value.quantity, { required: true, above0: true });
  checks.decimal('reference_price', value.referencePrice, { above0: true });
  checks.decimal('stop_loss_price', value.stopLossPrice, { above0: true });
  checks.decimal('take_profit_price', value.takeProfitPrice, { above0: true });
  checks.decimal('leverage', value.leverage, { above0: true });
  checkReferenceTime(value.referenceTime, checks);
}

function checkClosePosition(value: ClosePosition, checks: FieldChecks): void {
  checks.text('session_id', value.sessionId);
  checks.text('strategy_id', value.strategyId);
  checks.text('symbol', value.symbol, { required: true });
  checks.decimal('quantity', value.quantity, { above0: true });
  checks.decimal('reference_price', value.referencePrice, { above0: true });
  checkReferenceTime(value.referenceTime, checks);
}

/** Market time: a replay's lies in the past. */
function checkReferenceTime(time: OpenPosition['referenceTime'], checks: FieldChecks): void {
  if (time !== undefined && !(millisecondsOfTimestamp(time) >= 0)) {
    checks.add('reference_time', 'is not a valid time since 1970');
  }
}

function checkPing(value: Ping, checks: FieldChecks): void {
  if (value.payload.length > PING_CHARS_MAX) {
    checks.add('payload', `must have at most ${PING_CHARS_MAX} characters, has ${value.payload.length}`);
  }
}
