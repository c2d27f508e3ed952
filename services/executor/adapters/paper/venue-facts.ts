import { create } from '@bufbuild/protobuf';
import { durationFromMs, type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { FillSchema } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import type { DisconnectPolicy } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { CloseReason, PaperFill, PaperPosition } from './account.ts';
import { CLOSE_REASONS, fillInit } from './closing.ts';
import type { Standing } from './performance.ts';
import type { VenueEventInit } from './venue-event-store.ts';

/** When and why something happened; `marketMs` where a price caused it. */
export interface Moment {
  readonly nowMs: number;
  readonly marketMs?: number | undefined;
}

interface EventHead {
  readonly sessionId: string;
  readonly time: Timestamp;
  readonly marketTime?: Timestamp;
}

interface PositionHead extends EventHead {
  readonly strategyId: string;
  readonly symbol: string;
  readonly openCommandId: string;
}

function head(sessionId: string, { nowMs, marketMs }: Moment): EventHead {
  return {
    sessionId,
    time: timestampFromMs(nowMs),
    ...(marketMs === undefined ? {} : { marketTime: timestampFromMs(marketMs) }),
  };
}

function ofPosition({ sessionId, strategyId, symbol, openCommandId = '' }: PaperPosition, at: Moment): PositionHead {
  return { ...head(sessionId, at), strategyId, symbol, openCommandId };
}

export function positionClosed(
  position: PaperPosition,
  reason: CloseReason,
  fill: PaperFill,
  at: Moment,
): VenueEventInit {
  const value = { reason: CLOSE_REASONS[reason], fill: create(FillSchema, fillInit(fill)) };
  return { ...ofPosition(position, at), event: { case: 'positionClosed', value } };
}

export function ordersCancelled(position: PaperPosition, orders: number, reason: string, at: Moment): VenueEventInit {
  return { ...ofPosition(position, at), event: { case: 'ordersCancelled', value: { orders, reason } } };
}

export function disconnectPolicyApplied(
  sessionId: string,
  facts: {
    readonly policy: DisconnectPolicy;
    readonly lostForMs: number;
    readonly ordersCancelled: number;
    readonly positionsClosed: number;
  },
  at: Moment,
): VenueEventInit {
  const { lostForMs, ...rest } = facts;
  const value = { ...rest, disconnectedFor: durationFromMs(Math.round(lostForMs)) };
  return { ...head(sessionId, at), event: { case: 'disconnectPolicyApplied', value } };
}

export function equityReport(sessionId: string, standing: Standing, at: Moment): VenueEventInit {
  const { equity, balance, peak, drawdownPct, maxDrawdownPct } = standing;
  const value = {
    equity: equity.toString(),
    balance: balance.toString(),
    peakEquity: peak.toString(),
    drawdownPct: drawdownPct.toDecimalPlaces(6).toString(),
    maxDrawdownPct: maxDrawdownPct.toDecimalPlaces(6).toString(),
  };
  return { ...head(sessionId, at), event: { case: 'equityReport', value } };
}
