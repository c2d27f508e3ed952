import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { Decimal } from 'decimal.js';
import {
  type CancelOrders,
  type ClosePosition,
  type OpenPosition,
  Side,
} from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { Amount, parseDecimal } from '../../domain/decimal.ts';
import { positionName } from '../../domain/local-limits.ts';
import {
  type AccountChange,
  balanceOf,
  freeBalance,
  isPaused,
  ledgerKey,
  type PaperPosition,
  positionChange,
  positionsWithin,
  symbolKey,
} from './account.ts';
import { CLOSE_REASONS, closeAll, closePositions, exitPrice, fillInit, ownerOf } from './closing.ts';
import { dealtPrice, feeOf } from './costs.ts';
import { counted, dealPrice, done, type Effect, type EffectContext, isEffect, positive, refuse } from './effect.ts';
import { isInstance, noSession } from './sessions.ts';

/** What an entry asks for; OpenPosition without what only the wire needs. */
export type OpenOrder = Omit<OpenPosition, '$typeName' | '$unknown'>;
export type CloseOrder = Omit<ClosePosition, '$typeName' | '$unknown'>;

export function openPosition(context: EffectContext, body: OpenOrder): Effect {
  const { account, tag } = context;
  const refusal = mayOpen(context, body);
  if (refusal !== undefined) return refusal;
  const quantity = positive('quantity', body.quantity);
  if (isEffect(quantity)) return quantity;
  const leverage = body.leverage === '' ? new Amount(1) : positive('leverage', body.leverage);
  if (isEffect(leverage)) return leverage;
  if (leverage.gt(context.maxLeverage)) {
    return refuse('leverage', `leverage ${body.leverage} is above the ${context.maxLeverage} that this venue grants`);
  }
  const market = dealPrice(account, body.symbol, body.referencePrice);
  if (isEffect(market)) return market;
  const price = dealtPrice(body.side, market, context.costs);
  const fee = feeOf(quantity, price, context.costs);
  const ledger = ledgerKey(account, body.sessionId);
  const free = freeBalance(account, ledger);
  const margin = quantity.times(price).div(leverage);
  // Dealt worse than the market stands, a position begins with a loss.
  const costs = fee.plus(price.minus(market).abs().times(quantity));
  if (margin.plus(costs).gt(free)) {
    const more = costs.isZero() ? '' : ` and costs ${costs.toString()}`;
    return refuse('balance', `the order needs a margin of ${margin.toString()}${more}, and ${free.toString()} is free`);
  }
  const open = account.position.get(positionName(body));
  if (open !== undefined && open.side !== body.side) {
    return refuse('opposite_position', `a position the other way round is open on "${body.symbol}": close it first`);
  }
  const fill = {
    symbol: body.symbol,
    side: body.side,
    quantity: quantity.toString(),
    price: price.toString(),
    fee: fee.toString(),
    venueOrderId: `${tag}-1`,
    fillTime: timestampFromMs(entryMs(context, body)),
    ...ownerOf(body),
  };
  const changes: AccountChange[] = [
    positionChange({ ...enlarged(open, body, quantity, price, leverage), ...originOf(context, body, open) }),
    { collection: 'closed', key: positionName(body), value: undefined },
  ];
  if (!fee.isZero()) {
    changes.push({ collection: 'ledger', key: ledger, value: balanceOf(account, ledger).minus(fee).toString() });
  }
  changes.push(...priceChange(context, body, market));
  const word = body.side === Side.BUY ? 'bought' : 'sold';
  return done(`${word} ${fill.quantity} ${body.symbol} at ${fill.price}`, changes, { fills: [fill] });
}

/** Market time of an entry: that of its decision, else that of the last price, else nothing but the clock is known. */
function entryMs({ account, nowMs }: EffectContext, body: OpenOrder): number {
  return referenceMs(body) ?? account.quote.get(symbolKey(body.symbol))?.timeMs ?? nowMs;
}

export function referenceMs({ referenceTime }: Pick<OpenOrder, 'referenceTime'>): number | undefined {
  return referenceTime === undefined ? undefined : timestampMs(referenceTime);
}

/** Where a position comes from; what is added to it later leaves that as it was. */
function originOf(
  { account, tag, commandId }: EffectContext,
  body: OpenOrder,
  open: PaperPosition | undefined,
): Pick<PaperPosition, 'entryTimeMs' | 'openCommandId' | 'orderId'> {
  if (open !== undefined) {
    const { entryTimeMs, openCommandId = commandId, orderId = `${tag}-1` } = open;
    return { ...(entryTimeMs === undefined ? {} : { entryTimeMs }), openCommandId, orderId };
  }
  const timeMs = referenceMs(body) ?? account.quote.get(symbolKey(body.symbol))?.timeMs;
  return {
    ...(timeMs === undefined ? {} : { entryTimeMs: timeMs }),
    openCommandId: commandId,
    orderId: `${tag}-1`,
  };
}

/** The order's price counts as the last one, unless the venue has seen a later one. */
function priceChange(
  { account }: EffectContext,
  body: Pick<OpenOrder, 'symbol' | 'referenceTime'>,
  price: Decimal,
): AccountChange[] {
  const key = symbolKey(body.symbol);
  const seenMs = account.quote.get(key)?.timeMs;
  const orderMs = referenceMs(body);
  if (seenMs !== undefined && (orderMs === undefined || orderMs <= seenMs)) return [];
  return [{ collection: 'price', key, value: price.toString() }];
}

/** What stands against any entry here and now. */
function mayOpen({ account }: EffectContext, body: OpenOrder): Effect | undefined {
  if (body.symbol === '') return refuse('invalid_field', 'symbol is empty', 'INVALID_FIELD');
  if (body.side !== Side.BUY && body.side !== Side.SELL) {
    return refuse('invalid_field', 'side must be buy or sell', 'INVALID_FIELD');
  }
  const unreadable = [body.stopLossPrice, body.takeProfitPrice].find(
    (text) => text !== '' && !(parseDecimal(text)?.gt(0) ?? false),
  );
  if (unreadable !== undefined) {
    return refuse(
      'invalid_field',
      `stop loss and take profit must be prices, and one is "${unreadable}"`,
      'INVALID_FIELD',
    );
  }
  if (isPaused(account)) return refuse('paused', 'the executor is paused: it opens nothing until it is resumed');
  if (body.sessionId === '') return undefined;
  const session = account.session.get(body.sessionId);
  if (session === undefined) return noSession(body.sessionId);
  if (session.paused)
    return refuse('paused', `session "${body.sessionId}" is paused: it opens nothing until it is resumed`);
  if (session.symbols.length > 0 && !session.symbols.includes(body.symbol)) {
    return refuse(
      'symbol',
      `session "${body.sessionId}" trades ${session.symbols.join(', ')}, and not "${body.symbol}"`,
    );
  }
  if (body.strategyId === '' || session.instances.some((instance) => isInstance(instance, body))) return undefined;
  return refuse(
    'no_strategy',
    `strategy "${body.strategyId}" does not run on "${body.symbol}" in session "${body.sessionId}": start it first`,
    'TARGET_UNKNOWN',
  );
}

/** The position after the fill: quantities add up, the entry price is their average. */
function enlarged(
  open: PaperPosition | undefined,
  body: OpenOrder,
  quantity: Decimal,
  price: Decimal,
  leverage: Decimal,
): PaperPosition {
  const held = new Amount(open?.quantity ?? 0);
  const total = held.plus(quantity);
  const entry = held
    .times(open?.entryPrice ?? 0)
    .plus(quantity.times(price))
    .div(total);
  return {
    sessionId: body.sessionId,
    strategyId: body.strategyId,
    symbol: body.symbol,
    side: body.side,
    quantity: total.toString(),
    entryPrice: entry.toSignificantDigits(20).toString(),
    leverage: leverage.toString(),
    stopLossPrice: body.stopLossPrice === '' ? (open?.stopLossPrice ?? '') : body.stopLossPrice,
    takeProfitPrice: body.takeProfitPrice === '' ? (open?.takeProfitPrice ?? '') : body.takeProfitPrice,
  };
}

export function closePosition(context: EffectContext, body: CloseOrder): Effect {
  const { account } = context;
  const positions = positionsWithin(account, body);
  const [only] = positions;
  if (only === undefined) {
    const earlier = account.closed.get(positionName(body));
    if (earlier !== undefined) {
      return done(`already closed by ${earlier.reason}`, [], {
        fills: [{ ...fillInit(earlier.fill), ...ownerOf(body) }],
        alreadyClosed: { reason: CLOSE_REASONS[earlier.reason] },
      });
    }
    return refuse('no_position', `no position is open on ${scopeName(body)}`, 'TARGET_UNKNOWN');
  }
  const price = body.referencePrice === '' ? undefined : positive('reference_price', body.referencePrice);
  if (price !== undefined && isEffect(price)) return price;
  if (price !== undefined && body.symbol === '') {
    return refuse('invalid_field', 'reference_price needs a symbol that it is the price of', 'INVALID_FIELD');
  }
  let closings = closeAll(context, positions);
  if (price !== undefined) {
    closings = closings.map((closing) => ({ ...closing, price: exitPrice(context, closing.position, price) }));
  }
  if (body.quantity !== '') {
    const quantity = positive('quantity', body.quantity);
    if (isEffect(quantity)) return quantity;
    if (positions.length > 1) {
      return refuse(
        'ambiguous',
        `${positions.length} positions match: name session, strategy and symbol, or leave the quantity out`,
      );
    }
    if (quantity.gt(only.quantity)) {
      return refuse('quantity', `the position holds ${only.quantity}, and ${body.quantity} was to be closed`);
    }
    closings = closings.map((closing) => ({ ...closing, quantity }));
  }
  const { fills, changes } = closePositions({ ...context, nowMs: referenceMs(body) ?? context.nowMs }, closings);
  if (price !== undefined) changes.push(...priceChange(context, body, price));
  const pnl = Amount.sum(0, ...fills.map((fill) => fill.pnl ?? 0));
  return done(`${counted(fills.length, 'position')} closed, profit ${pnl.toString()}`, changes, { fills });
}

export function cancelOrders({ account }: EffectContext, body: CancelOrders): Effect {
  const positions = positionsWithin(account, body).filter((position) => restingOrders(position) > 0);
  const count = positions.reduce((sum, position) => sum + restingOrders(position), 0);
  const changes = positions.map((position) => positionChange({ ...position, stopLossPrice: '', takeProfitPrice: '' }));
  return done(`${counted(count, 'order')} cancelled`, changes);
}

/** Protective orders that rest on a position. */
export function restingOrders(position: PaperPosition): number {
  return Number(position.stopLossPrice !== '') + Number(position.takeProfitPrice !== '');
}

function scopeName(body: CloseOrder): string {
  const parts = [body.sessionId, body.strategyId, body.symbol].filter((part) => part !== '');
  return parts.length === 0 ? 'this executor' : parts.map((part) => `"${part}"`).join(', ');
}
