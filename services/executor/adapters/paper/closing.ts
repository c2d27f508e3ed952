import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Decimal } from 'decimal.js';
import { Amount } from '../../domain/decimal.ts';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { ResultInit } from '../adapter.ts';
import {
  type AccountChange,
  balanceOf,
  ledgerKey,
  OWN,
  type PaperPosition,
  positionChange,
  profit,
} from './account.ts';
import type { EffectContext } from './effect.ts';

/** A position that is to be closed, in whole or in part. */
export interface Closing {
  readonly position: PaperPosition;
  readonly quantity: Decimal;
  readonly price: Decimal;
}

type FillInit = NonNullable<ResultInit['fills']>[number];

/** Fills and changes of closing positions. Profits go to the ledger that paid; one of a session that has ended goes with its last position. */
export function closePositions(
  context: EffectContext,
  closings: readonly Closing[],
  endedSessions: ReadonlySet<string> = new Set(),
): { readonly fills: FillInit[]; readonly changes: AccountChange[] } {
  const { account, tag, nowMs } = context;
  const balances = new Map<string, Decimal>();
  const changes: AccountChange[] = [];
  const fills = closings.map(({ position, quantity, price }, at): FillInit => {
    const ledger = ledgerKey(account, position.sessionId);
    const pnl = profit(position, quantity, price);
    balances.set(ledger, (balances.get(ledger) ?? balanceOf(account, ledger)).plus(pnl));
    changes.push(positionChange(position, new Amount(position.quantity).minus(quantity)));
    return {
      symbol: position.symbol,
      side: position.side === Side.BUY ? Side.SELL : Side.BUY,
      quantity: quantity.toString(),
      price: price.toString(),
      fee: '0',
      pnl: pnl.toString(),
      venueOrderId: `${tag}-${at + 1}`,
      fillTime: timestampFromMs(nowMs),
    };
  });
  const touched = new Set([...balances.keys(), ...endedSessions]);
  for (const ledger of touched) {
    if (!account.ledger.has(ledger)) continue;
    const over = ledger !== OWN && hasEnded(context, ledger, endedSessions) && !bindsAny(context, ledger, closings);
    const balance = balances.get(ledger) ?? balanceOf(account, ledger);
    changes.push({ collection: 'ledger', key: ledger, value: over ? undefined : balance.toString() });
  }
  return { fills, changes };
}

/** Closes all of each at its last known price: an open position's symbol always has one. */
export function closeAll(context: EffectContext, positions: readonly PaperPosition[]): Closing[] {
  return positions.map((position) => ({
    position,
    quantity: new Amount(position.quantity),
    price: new Amount(context.account.price.get(position.symbol) ?? position.entryPrice),
  }));
}

function hasEnded({ account }: EffectContext, sessionId: string, ending: ReadonlySet<string>): boolean {
  return ending.has(sessionId) || !account.session.has(sessionId);
}

/** Whether a position of the session stays open. */
function bindsAny({ account }: EffectContext, sessionId: string, closings: readonly Closing[]): boolean {
  return [...account.position.values()].some((position) => {
    if (position.sessionId !== sessionId) return false;
    const closing = closings.find((candidate) => candidate.position === position);
    return closing === undefined || closing.quantity.lt(position.quantity);
  });
}
