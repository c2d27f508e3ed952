import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Decimal } from 'decimal.js';
import { Amount } from '../../domain/decimal.ts';
import { positionName } from '../../domain/local-limits.ts';
import { PositionCloseReason } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { ResultInit } from '../adapter.ts';
import {
  type AccountChange,
  balanceOf,
  type CloseReason,
  lastPrice,
  ledgerKey,
  OWN,
  type PaperFill,
  type PaperPosition,
  positionChange,
  profit,
} from './account.ts';
import { dealtPrice, feeOf } from './costs.ts';
import type { EffectContext } from './effect.ts';

/** A position that is to be closed, in whole or in part. */
export interface Closing {
  readonly position: PaperPosition;
  readonly quantity: Decimal;
  readonly price: Decimal;
  /** Set when the venue closes it by itself. */
  readonly reason?: CloseReason;
}

/** Of each reason, its value on the wire. */
export const CLOSE_REASONS: Readonly<Record<CloseReason, PositionCloseReason>> = {
  stop_loss: PositionCloseReason.STOP_LOSS,
  take_profit: PositionCloseReason.TAKE_PROFIT,
  liquidation: PositionCloseReason.LIQUIDATION,
  disconnect: PositionCloseReason.DISCONNECT,
};

export type FillInit = NonNullable<ResultInit['fills']>[number];

type ClosingContext = Pick<EffectContext, 'account' | 'tag' | 'nowMs' | 'costs'>;

/** Fills and changes of closing positions. Profits go to the ledger that paid; one of a session that has ended goes with its last position. */
export function closePositions(
  context: ClosingContext,
  closings: readonly Closing[],
  endedSessions: ReadonlySet<string> = new Set(),
): { readonly fills: FillInit[]; readonly kept: PaperFill[]; readonly changes: AccountChange[] } {
  const { account } = context;
  const balances = new Map<string, Decimal>();
  const changes: AccountChange[] = [];
  const kept = closings.map((closing, at): PaperFill => {
    const { position, quantity, reason } = closing;
    const fill = closingFill(context, closing, at);
    const ledger = ledgerKey(account, position.sessionId);
    const before = balances.get(ledger) ?? balanceOf(account, ledger);
    balances.set(ledger, before.plus(fill.pnl).minus(fill.fee));
    changes.push(positionChange(position, new Amount(position.quantity).minus(quantity)));
    if (reason !== undefined) {
      changes.push({ collection: 'closed', key: positionName(position), value: { reason, fill } });
    }
    return fill;
  });
  const touched = new Set([...balances.keys(), ...endedSessions]);
  for (const ledger of touched) {
    if (!account.ledger.has(ledger)) continue;
    const over = ledger !== OWN && hasEnded(context, ledger, endedSessions) && !bindsAny(context, ledger, closings);
    const balance = balances.get(ledger) ?? balanceOf(account, ledger);
    changes.push({ collection: 'ledger', key: ledger, value: over ? undefined : balance.toString() });
    if (over) changes.push({ collection: 'performance', key: ledger, value: undefined });
  }
  return { fills: kept.map((fill, at) => ({ ...fillInit(fill), ...ownerOf(closings[at]?.position) })), kept, changes };
}

/** A liquidation takes the margin and no fee beyond it. */
function closingFill({ tag, nowMs, costs }: ClosingContext, closing: Closing, at: number): PaperFill {
  const { position, quantity, price, reason } = closing;
  const fee = reason === 'liquidation' ? new Amount(0) : feeOf(quantity, price, costs);
  return {
    symbol: position.symbol,
    side: position.side === Side.BUY ? Side.SELL : Side.BUY,
    quantity: quantity.toString(),
    price: price.toString(),
    fee: fee.toString(),
    pnl: profit(position, quantity, price).toString(),
    venueOrderId: reason === undefined ? `${tag}-${at + 1}` : `${position.orderId ?? tag}-${reason}`,
    timeMs: nowMs,
  };
}

/** Whose the position is that a fill is of. */
export function ownerOf(
  position: Pick<PaperPosition, 'sessionId' | 'strategyId'> | undefined,
): Pick<PaperPosition, 'sessionId' | 'strategyId'> {
  return { sessionId: position?.sessionId ?? '', strategyId: position?.strategyId ?? '' };
}

export function fillInit({ timeMs, ...fill }: PaperFill) {
  return { ...fill, fillTime: timestampFromMs(timeMs) };
}

/** Closes all of each at the market: an open position's symbol always has a last price. */
export function closeAll(
  context: Pick<EffectContext, 'account' | 'costs'>,
  positions: readonly PaperPosition[],
): Closing[] {
  return positions.map((position) => ({
    position,
    quantity: new Amount(position.quantity),
    price: exitPrice(context, position, lastPrice(context.account, position)),
  }));
}

/** The price at which a position is left when the market stands at `price`. */
export function exitPrice({ costs }: Pick<EffectContext, 'costs'>, position: PaperPosition, price: Decimal): Decimal {
  return dealtPrice(position.side === Side.BUY ? Side.SELL : Side.BUY, price, costs);
}

function hasEnded({ account }: ClosingContext, sessionId: string, ending: ReadonlySet<string>): boolean {
  return ending.has(sessionId) || !account.session.has(sessionId);
}

/** Whether a position of the session stays open. */
function bindsAny({ account }: ClosingContext, sessionId: string, closings: readonly Closing[]): boolean {
  return [...account.position.values()].some((position) => {
    if (position.sessionId !== sessionId) return false;
    const closing = closings.find((candidate) => candidate.position === position);
    return closing === undefined || closing.quantity.lt(position.quantity);
  });
}
