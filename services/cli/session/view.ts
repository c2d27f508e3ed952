import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { DisconnectPolicy, SessionMode } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { PinPolicy } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import {
  ActivationState,
  type Halt,
  type Position,
  PositionState,
  type Session,
  SessionState,
  type Signal,
  SignalState,
} from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { formatDuration } from '../terminal/duration.ts';
import { usageError } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';
import { formatAge, formatTime } from '../terminal/time.ts';
import { valueName } from '../terminal/value-name.ts';

export const SESSION_COLUMNS = ['SESSION', 'MODE', 'STATE', 'EXECUTOR', 'STRATEGIES', 'EQUITY', 'PNL', 'AGE'];
export const SIGNAL_COLUMNS = ['TIME', 'STRATEGY', 'SYMBOL', 'PRICE', 'STATE', 'REASON', 'SIGNAL'];
export const POSITION_COLUMNS = ['OPENED', 'STRATEGY', 'SYMBOL', 'STATE', 'QUANTITY', 'ENTRY', 'EXIT', 'BY', 'PNL'];

/** Market times may be of years ago: the date is always there, in UTC. */
export function marketTime(time: Timestamp | undefined): string {
  return time === undefined ? '' : timestampDate(time).toISOString().replace('T', ' ').replace('.000Z', 'Z');
}

export function sessionRow(session: Session): string[] {
  return [
    session.id,
    valueName(SessionMode, session.mode),
    stateText(session),
    session.executorName,
    session.activations.map(({ strategyName, symbol }) => `${strategyName} on ${symbol}`).join(', '),
    session.equity,
    session.realisedPnl,
    formatAge(session.createTime),
  ];
}

export function signalRow(signal: Signal): string[] {
  const { strategyName, symbol, price, state, reason, id } = signal;
  return [marketTime(signal.time), strategyName, symbol, price, valueName(SignalState, state), reason, id];
}

export function positionRow(position: Position): string[] {
  const { strategyName, symbol, state, quantity, entryPrice, exitPrice, exitReason, pnl } = position;
  return [
    marketTime(position.entryTime),
    strategyName,
    symbol,
    valueName(PositionState, state),
    quantity,
    entryPrice,
    exitPrice,
    exitReason,
    pnl,
  ];
}

export function showSession(out: Output, session: Session): void {
  const after =
    session.disconnectPolicy === DisconnectPolicy.FLATTEN ? ` after ${formatDuration(session.disconnectAfter)}` : '';
  out.details([
    ['session', session.id],
    ['mode', valueName(SessionMode, session.mode)],
    ['state', stateText(session)],
    ['reason', session.reason],
    ['executor', session.executorName],
    ['dataset', session.dataset],
    [
      'strategies',
      `${valueName(PinPolicy, session.pinPolicy)}, when the platform is lost ${valueName(DisconnectPolicy, session.disconnectPolicy)}${after}`,
    ],
    ['prices', session.freshness === Freshness.UNSPECIFIED ? undefined : valueName(Freshness, session.freshness)],
    ['balance', session.initialBalance],
    ['equity', session.equity],
    ['realised', session.realisedPnl],
    ['drawdown', `${session.maxDrawdownPct}%`],
    ['created', formatTime(session.createTime)],
    ['started', formatTime(session.startTime)],
    ['stopped', formatTime(session.stopTime)],
  ]);
  out.table(
    ['STRATEGY', 'SYMBOL', 'REVISION', 'STATE', 'MISSING', 'INSTANCE'],
    session.activations.map(({ strategyName, symbol, revision, state, missing, instanceId }) => [
      strategyName,
      symbol,
      String(revision),
      valueName(ActivationState, state),
      missing.join('; '),
      instanceId,
    ]),
    'no strategies',
  );
}

export function showHalt(out: Output, halt: Halt): void {
  const { acknowledgements } = halt;
  const flat = acknowledgements.filter((each) => each.flat).length;
  out.say(`halt ${halt.id}: ${flat} of ${acknowledgements.length} executors have acknowledged`);
  out.table(
    ['EXECUTOR', 'CONNECTED', 'FLAT', 'COMMAND', 'STATE', 'NOTE'],
    acknowledgements.map(({ executorName, connected, flat: stopped, commandId, state, note }) => [
      executorName,
      connected ? 'yes' : 'no',
      stopped ? 'yes' : 'no',
      commandId,
      valueName(CommandState, state),
      note,
    ]),
    'no executor is in scope',
  );
}

/** States by their names without prefix, in either case. @throws CliError usage. */
export function parseSessionStates(names: readonly string[]): SessionState[] {
  return names
    .flatMap((name) => name.split(','))
    .map((name) => {
      const found = Object.values(SessionState).find(
        (value): value is SessionState =>
          typeof value === 'number' && SessionState[value] === name.trim().toUpperCase(),
      );
      if (found === undefined || found === SessionState.UNSPECIFIED) {
        throw usageError(
          `there is no state "${name}"; write starting, active, paused, stopping, stopped, failed or completed`,
        );
      }
      return found;
    });
}

function stateText({ state, progressPercent, mode }: Session): string {
  const name = valueName(SessionState, state);
  return mode === SessionMode.BACKTEST && state === SessionState.ACTIVE
    ? `${name} ${Math.floor(progressPercent)}%`
    : name;
}
