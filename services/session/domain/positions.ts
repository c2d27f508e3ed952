import { Decimal } from 'decimal.js';
import type { Draft } from './draft.ts';
import type { PositionRecord, Section } from './records.ts';

const Amount = Decimal.clone({ precision: 80, toExpNeg: -1_000, toExpPos: 1_000 });
const PERCENT_PLACES = 4;

/** An execution at the venue. Decimals; empty where it is not known. `timeMs` of the venue. */
export interface Fill {
  readonly symbol: string;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly timeMs: number | null;
}

/** A fill with whose position it is of; both empty where the executor does not say it. */
export interface OwnedFill extends Fill {
  readonly sessionId: string;
  readonly strategyId: string;
}

/** What closed a position. */
export interface Closing {
  /** Absent: it is gone, and nobody can say at what price. */
  readonly fill: Fill | undefined;
  /** Such as ze1_close, stop_loss, stop_session. */
  readonly reason: string;
  readonly section: Section;
  readonly closeCommandId: string;
  /** Of the price that closed it; the time of the decision where a strategy asked. */
  readonly marketTimeMs?: number | null;
}

/** The entry was filled. Tells the evaluator once, whoever finds out first. */
export function opened(draft: Draft, id: string, fill: Fill, openCommandId: string): void {
  const position = draft.position(id);
  if (position === undefined || (position.state !== 'ENTERING' && position.state !== 'UNKNOWN')) return;
  draft.setPosition(id, {
    state: 'OPEN',
    quantity: fill.quantity,
    entryPrice: fill.price,
    margin: marginOf(fill, position.leverage),
    fee: fill.fee,
    openCommandId,
    unknownTimeMs: null,
    ...(isLeft(draft, position) ? { exitReason: 'deactivated' } : {}),
  });
  settleSignal(draft, id, { state: 'ENTERED', reason: 'filled' });
  draft.tell({
    id: `opened:${draft.session.id}:${id}`,
    instanceId: position.instanceId,
    intentId: id,
    type: 'OPENED',
    section: 'VENUE',
    reason: 'filled',
    message: '',
    price: fill.price,
    quantity: fill.quantity,
    timeMs: position.entryTimeMs,
  });
}

/**
 * The answer of an entry comes after something else has told that it was filled: its price and fee count, for what has been
 * closed already, too. Its command ends once, so this is told once. The evaluator has been told before.
 */
export function entryTold(draft: Draft, id: string, fill: Fill | undefined, openCommandId: string): void {
  const position = draft.position(id);
  if (position === undefined) return;
  draft.setPosition(id, { openCommandId: position.openCommandId === '' ? openCommandId : position.openCommandId });
  if (fill === undefined) return;
  const isClosed = position.state === 'CLOSED';
  const booked = isClosed ? without(position.quantity, position.unpricedQuantity) : position.closedQuantity;
  const move = amount(position.entryPrice).minus(amount(fill.price)).times(amount(booked));
  const pnl = move.minus(amount(fill.fee)).toFixed();
  draft.setPosition(id, {
    entryPrice: fill.price,
    fee: sum(position.fee, fill.fee),
    ...(isClosed ? {} : { margin: marginOf({ quantity: position.quantity, price: fill.price }, position.leverage) }),
    ...(booked === '' ? {} : { pnl: sum(position.pnl, pnl) }),
  });
  // The fee of the entry counts with the first that is closed of it.
  if (booked !== '') realise(draft, pnl);
}

/** The entry had no effect. */
export function notOpened(draft: Draft, id: string, reason: string, message: string): void {
  const position = draft.position(id);
  if (position === undefined || (position.state !== 'ENTERING' && position.state !== 'UNKNOWN')) return;
  draft.setPosition(id, { state: 'NOT_OPENED', exitReason: 'not_opened', unknownTimeMs: null });
  settleSignal(draft, id, { state: 'REJECTED', reason });
  tellNotOpened(draft, {
    intentId: id,
    instanceId: position.instanceId,
    reason,
    message,
    timeMs: position.entryTimeMs,
  });
}

/** An entry that was turned away before it became a position. */
export function tellNotOpened(
  draft: Draft,
  refusal: {
    readonly intentId: string;
    readonly instanceId: string;
    readonly reason: string;
    readonly message: string;
    readonly timeMs: number;
  },
): void {
  draft.tell({
    ...refusal,
    id: `not_opened:${draft.session.id}:${refusal.intentId}`,
    type: 'NOT_OPENED',
    section: 'VENUE',
    price: '',
    quantity: '',
  });
}

/** Whether the fill is of less than what the position holds. */
export function isPartOf(fill: Fill | undefined, { quantity }: Pick<PositionRecord, 'quantity'>): fill is Fill {
  return fill !== undefined && isLess(fill.quantity, quantity);
}

/** The venue has closed a part of a position: that is booked at once, and the rest stays as it was. */
export function partlyClosed(draft: Draft, id: string, fill: Fill): void {
  const position = draft.position(id);
  if (position?.state !== 'OPEN' && position?.state !== 'CLOSING') return;
  const pnl = profitOf(position, fill);
  const quantity = amount(position.quantity).minus(amount(fill.quantity)).toFixed();
  draft.setPosition(id, {
    quantity,
    closedQuantity: sum(position.closedQuantity, fill.quantity),
    margin: marginOf({ quantity, price: position.entryPrice }, position.leverage),
    exitPrice: exitPriceOf(position, fill),
    fee: sum(position.fee, fill.fee),
    pnl: sum(position.pnl, pnl),
  });
  realise(draft, pnl);
}

/**
 * A position is gone. Counts the profit of what was filled and tells the evaluator, once. Of what nobody has said the price, the
 * profit is counted when somebody does; what is said to have been filled beyond the position is of no position.
 */
export function closed(draft: Draft, id: string, closing: Closing): void {
  const { fill, reason, section, closeCommandId } = closing;
  const position = draft.position(id);
  if (position === undefined) return;
  if (position.state === 'CLOSED') {
    if (fill !== undefined) priced(draft, position, fill, closing);
    else if (position.closeCommandId === '' && closeCommandId !== '') draft.setPosition(id, { closeCommandId });
    return;
  }
  if (position.state !== 'OPEN' && position.state !== 'CLOSING') return;
  const last = fill === undefined ? undefined : within(fill, position.quantity);
  const pnl = last === undefined ? '' : profitOf(position, last);
  const exitPrice = last === undefined ? position.exitPrice : exitPriceOf(position, last);
  const inParts = position.closedQuantity !== '';
  const unpricedQuantity = without(position.quantity, last?.quantity ?? '0');
  const marketTimeMs = closing.marketTimeMs ?? (reason === position.exitReason ? position.exitTimeMs : null);
  const whole = inParts ? sum(position.closedQuantity, position.quantity) : position.quantity;
  draft.setPosition(id, {
    state: 'CLOSED',
    quantity: whole,
    ...(last !== undefined && unpricedQuantity !== ''
      ? { closedQuantity: sum(position.closedQuantity, last.quantity) }
      : {}),
    unpricedQuantity,
    exitPrice,
    exitTimeMs: marketTimeMs ?? fill?.timeMs ?? draft.nowMs,
    exitReason: reason,
    fee: sum(position.fee, fill?.fee ?? ''),
    pnl: inParts ? sum(position.pnl, pnl) : pnl,
    closeCommandId,
    unknownTimeMs: null,
  });
  if (pnl !== '') realise(draft, pnl);
  const asked = isAsked(section);
  draft.tell({
    id: `closed:${draft.session.id}:${id}`,
    instanceId: position.instanceId,
    intentId: asked ? position.closeIntentId : '',
    type: 'CLOSED',
    section,
    reason,
    message: '',
    price: exitPrice,
    quantity: inParts ? whole : (fill?.quantity ?? position.quantity),
    // Market time; where nobody knows it, the last that is known of the position: the strategy's clock must not run ahead.
    timeMs: marketTimeMs ?? position.entryTimeMs,
  });
}

/** What has closed it is told after it was found gone: booked as far as nobody knew the price. Its strategy has been told before. */
function priced(draft: Draft, position: PositionRecord, fill: Fill, closing: Closing): void {
  const { id, unpricedQuantity } = position;
  if (unpricedQuantity === '') return;
  const last = within(fill, unpricedQuantity);
  const pnl = profitOf(position, last);
  // That of the decision, where a strategy asked, or of what closed another part; else that at which it was found gone.
  const isTimeKnown = isAsked(closing.section) || position.closedQuantity !== '';
  draft.setPosition(id, {
    closedQuantity: sum(position.closedQuantity, last.quantity),
    unpricedQuantity: without(unpricedQuantity, last.quantity),
    exitPrice: exitPriceOf(position, last),
    exitTimeMs: isTimeKnown ? position.exitTimeMs : (fill.timeMs ?? position.exitTimeMs),
    exitReason: closing.reason,
    fee: sum(position.fee, fill.fee),
    pnl: sum(position.pnl, pnl),
    closeCommandId: position.closeCommandId === '' ? closing.closeCommandId : position.closeCommandId,
  });
  realise(draft, pnl);
}

function isAsked(section: Section): boolean {
  return section === 'ZE1_CLOSE' || section === 'EMERGENCY_EXIT';
}

/** Whether its strategy was taken out of a session that goes on, to be closed, and exits nothing any more. */
function isLeft(draft: Draft, { instanceId }: PositionRecord): boolean {
  const { state } = draft.session;
  const activation = draft.activation(instanceId);
  return (state === 'ACTIVE' || state === 'PAUSED') && activation?.state === 'INACTIVE' && activation.wanted === 'END';
}

/** The close had no effect; the position is still there. */
export function notClosed(draft: Draft, id: string, requestId: string, reason: string, message: string): void {
  const position = draft.position(id);
  if (position?.state !== 'CLOSING') return;
  const asked = position.closeIntentId !== '';
  // What a strategy asked for is for the strategy to ask again; what a policy asked for, or one that has ended, stays to be done.
  draft.setPosition(id, {
    state: 'OPEN',
    closeIntentId: '',
    exitTimeMs: null,
    unknownTimeMs: null,
    ...(asked && !isLeft(draft, position) ? { exitReason: '' } : {}),
  });
  if (!asked) return;
  tellNotClosed(draft, {
    requestId,
    instanceId: position.instanceId,
    intentId: position.closeIntentId,
    reason,
    message,
    timeMs: position.exitTimeMs ?? position.entryTimeMs,
  });
}

export function tellNotClosed(
  draft: Draft,
  refusal: {
    readonly requestId: string;
    readonly instanceId: string;
    readonly intentId: string;
    readonly reason: string;
    readonly message: string;
    readonly timeMs: number;
  },
): void {
  const { requestId, ...rest } = refusal;
  draft.tell({
    ...rest,
    id: `not_closed:${draft.session.id}:${requestId}`,
    type: 'NOT_CLOSED',
    section: 'VENUE',
    price: '',
    quantity: '',
  });
}

/** Several fills of one order as one: quantities and fees added, prices weighed. Undefined for none. */
export function oneFill(fills: readonly Fill[]): Fill | undefined {
  const [first] = fills;
  if (first === undefined || fills.length === 1) return first;
  const quantity = fills.reduce((total, fill) => total.plus(amount(fill.quantity)), new Amount(0));
  if (quantity.isZero()) return first;
  const value = fills.reduce(
    (total, fill) => total.plus(amount(fill.quantity).times(amount(fill.price))),
    new Amount(0),
  );
  return {
    symbol: first.symbol,
    quantity: quantity.toFixed(),
    price: value.div(quantity).toDecimalPlaces(18).toFixed(),
    fee: fills.map((fill) => fill.fee).reduce(sum),
    timeMs: fills.at(-1)?.timeMs ?? null,
  };
}

/** One fill as that of several positions: to each, in their order, as much as it has, to the last what is left; the fee by quantity. */
export function allotted(fill: Fill, quantities: readonly string[]): Fill[] {
  const whole = amount(fill.quantity);
  let left = whole;
  return quantities.map((quantity, at) => {
    const part = at === quantities.length - 1 ? left : Amount.min(left, amount(quantity));
    left = left.minus(part);
    const fee =
      fill.fee === '' || whole.isZero() ? '' : amount(fill.fee).times(part).div(whole).toDecimalPlaces(18).toFixed();
    return { ...fill, quantity: part.toFixed(), fee };
  });
}

/** Equity by which entries are sized: what was brought in and what was realised since; empty when nobody knows it. */
export function sizingEquity(draft: Draft): string {
  const { initialBalance, realisedPnl, balance } = draft.session;
  return initialBalance === '' ? balance : amount(initialBalance).plus(amount(realisedPnl)).toFixed();
}

/** What no position and no entry under way binds of `equity`. */
export function freeEquity(draft: Draft, equity: string): string {
  const binding = draft.positions.filter(({ state }) => state !== 'CLOSED' && state !== 'NOT_OPENED');
  return binding.reduce((free, { margin }) => free.minus(amount(margin)), amount(equity)).toFixed();
}

function realise(draft: Draft, pnl: string): void {
  const { session } = draft;
  const realisedPnl = sum(session.realisedPnl, pnl);
  if (session.initialBalance === '') {
    draft.setSession({ realisedPnl });
    return;
  }
  const equity = amount(session.initialBalance).plus(realisedPnl);
  const peak = Amount.max(amount(session.peakEquity), equity);
  const drawdown = peak.lte(0) ? new Amount(0) : peak.minus(equity).div(peak).times(100);
  const worst = Amount.max(amount(session.maxDrawdownPct), drawdown.toDecimalPlaces(PERCENT_PLACES));
  draft.setSession({
    realisedPnl,
    equity: equity.toFixed(),
    peakEquity: peak.toFixed(),
    maxDrawdownPct: worst.toFixed(),
  });
}

/** Of what the fill closes, after its fee, and after that of the entry with the first of them. Positions are long. */
function profitOf(position: PositionRecord, fill: Fill): string {
  const entryFee = position.closedQuantity === '' ? position.fee : '';
  const move = amount(fill.price).minus(amount(position.entryPrice));
  return move.times(amount(fill.quantity)).minus(amount(entryFee)).minus(amount(fill.fee)).toFixed();
}

/** The mean price of all that has been closed, this fill included. */
function exitPriceOf({ symbol, closedQuantity, exitPrice }: PositionRecord, fill: Fill): string {
  if (closedQuantity === '') return fill.price;
  const before = { symbol, quantity: closedQuantity, price: exitPrice, fee: '', timeMs: null };
  return oneFill([before, fill])?.price ?? fill.price;
}

function marginOf(fill: Pick<Fill, 'quantity' | 'price'>, leverage: string): string {
  return amount(fill.quantity)
    .times(amount(fill.price))
    .div(amount(leverage === '' ? '1' : leverage))
    .toFixed();
}

function settleSignal(
  draft: Draft,
  positionId: string,
  patch: { state: 'ENTERED' | 'REJECTED'; reason: string },
): void {
  const signal = draft.signals.find((each) => each.positionId === positionId);
  if (signal !== undefined) draft.setSignal(signal.id, patch);
}

function sum(a: string, b: string): string {
  return amount(a).plus(amount(b)).toFixed();
}

/** Of two decimals; empty where nothing is left. */
function without(a: string, b: string): string {
  const left = amount(a).minus(amount(b));
  return left.gt(0) ? left.toFixed() : '';
}

/** As much of the fill as there is to be closed. */
function within(fill: Fill, quantity: string): Fill {
  return isLess(quantity, fill.quantity) ? { ...fill, quantity } : fill;
}

/** Of two decimals. */
export function isLess(a: string, b: string): boolean {
  return amount(a).lt(amount(b));
}

function amount(text: string): Decimal {
  return new Amount(text === '' ? 0 : text);
}
