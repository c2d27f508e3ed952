import {
  type Command,
  CommandState,
  type Fill as WireFill,
  PositionCloseReason,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { VenueEvent } from '../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import type { Fill, OwnedFill } from '../domain/positions.ts';
import type { CommandEnd, OpenCommandState } from '../domain/records.ts';
import type { Observed } from '../domain/observed.ts';
import type { VenueNews } from '../domain/venue.ts';
import { plainDecimal } from './plain-decimal.ts';
import { millisecondsOf } from './time.ts';

const STATES: Readonly<Partial<Record<CommandState, OpenCommandState | CommandEnd>>> = {
  [CommandState.PENDING]: 'PENDING',
  [CommandState.SENT]: 'SENT',
  [CommandState.RECEIVED]: 'RECEIVED',
  [CommandState.RUNNING]: 'RUNNING',
  [CommandState.SUCCEEDED]: 'SUCCEEDED',
  [CommandState.FAILED]: 'FAILED',
  [CommandState.REJECTED]: 'REJECTED',
  [CommandState.CANCELLED]: 'CANCELLED',
  [CommandState.EXPIRED]: 'EXPIRED',
  [CommandState.OUTCOME_UNKNOWN]: 'OUTCOME_UNKNOWN',
};

/** A command as the command service tells it. */
export function observedFromProto(command: Command): Observed {
  const { error, result } = command;
  return {
    requestId: command.requestId,
    commandId: command.id,
    state: STATES[command.state] ?? 'PENDING',
    reason: error === undefined ? '' : (ErrorReason[error.reason] ?? ''),
    message: error?.message ?? '',
    finishTimeMs: millisecondsOf(command.finishTime),
    fills: fillsFromProto(result?.fills ?? []),
    closedBy: closedByOf(command),
    positions: result?.status?.positions.map(({ sessionId, strategyId, symbol, quantity, entryPrice }) => ({
      sessionId,
      strategyId,
      symbol,
      quantity: plainDecimal(quantity),
      entryPrice: plainDecimal(entryPrice),
    })),
  };
}

/** A close that found the position gone says what had closed it, by the names of the venue's own events. */
function closedByOf({ result }: Command): string {
  return result?.alreadyClosed === undefined ? '' : closeReasonName(result.alreadyClosed.reason);
}

function closeReasonName(reason: PositionCloseReason): string {
  return CLOSED_BY.get(reason) ?? 'venue';
}

const CLOSED_BY: ReadonlyMap<PositionCloseReason, string> = new Map([
  [PositionCloseReason.STOP_LOSS, 'stop_loss'],
  [PositionCloseReason.TAKE_PROFIT, 'take_profit'],
  [PositionCloseReason.DISCONNECT, 'disconnect'],
  [PositionCloseReason.LIQUIDATION, 'liquidation'],
]);

/** What a venue did without a command; undefined for what changes nothing here. */
export function venueNewsFromProto(event: VenueEvent): VenueNews | undefined {
  const { sessionId, strategyId, symbol, openCommandId } = event;
  const about = { sessionId, strategyId, symbol, openCommandId };
  switch (event.event.case) {
    case 'positionClosed': {
      const { reason, fill } = event.event.value;
      const timeMs = millisecondsOf(event.marketTime) ?? millisecondsOf(event.time);
      const read = fill === undefined ? undefined : fillFromProto(fill);
      return {
        ...about,
        type: 'POSITION_CLOSED',
        reason: closeReasonName(reason),
        fill: read === undefined ? undefined : { ...read, ...(timeMs === null ? {} : { timeMs }) },
      };
    }
    case 'equityReport': {
      const { equity, balance, peakEquity, maxDrawdownPct } = event.event.value;
      return {
        ...about,
        type: 'EQUITY',
        equity: plainDecimal(equity),
        balance: plainDecimal(balance),
        peakEquity: plainDecimal(peakEquity),
        maxDrawdownPct: plainDecimal(maxDrawdownPct),
      };
    }
    case 'disconnectPolicyApplied': {
      const { ordersCancelled, positionsClosed } = event.event.value;
      const text = `the executor lost the platform and applied its policy: ${ordersCancelled} orders cancelled, ${positionsClosed} positions closed`;
      return { ...about, type: 'POLICY_APPLIED', text };
    }
    case 'ordersCancelled':
    case undefined:
      return undefined;
    default:
      return event.event satisfies never;
  }
}

/** None when one of them cannot be read: the sum of the others would be a wrong one. */
function fillsFromProto(fills: readonly WireFill[]): OwnedFill[] {
  const read = fills.flatMap((wire) => {
    const fill = fillFromProto(wire);
    return fill === undefined ? [] : [{ ...fill, sessionId: wire.sessionId, strategyId: wire.strategyId }];
  });
  return read.length === fills.length ? read : [];
}

/** Undefined for a fill whose quantity or price cannot be read. */
function fillFromProto({ symbol, fillTime, ...amounts }: WireFill): Fill | undefined {
  const [quantity, price] = [plainDecimal(amounts.quantity), plainDecimal(amounts.price)];
  if (!isPositive(quantity) || !isPositive(price)) return undefined;
  return { symbol, quantity, price, fee: plainDecimal(amounts.fee), timeMs: millisecondsOf(fillTime) };
}

function isPositive(decimal: string): boolean {
  return /[1-9]/.test(decimal) && !decimal.startsWith('-');
}
