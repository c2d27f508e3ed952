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

/** A position is gone. Counts its profit and tells the evaluator, once. */
export function closed(draft: Draft, id: string, closing: Closing): void {
  const { fill, reason, section, closeCommandId } = closing;
  const position = draft.position(id);
  if (position === undefined) return;
  if (position.state === 'CLOSED') {
    if (position.closeCommandId === '' && closeCommandId !== '') draft.setPosition(id, { closeCommandId });
    return;
  }
  if (position.state !== 'OPEN' && position.state !== 'CLOSING') return;
  const pnl = fill === undefined ? '' : profitOf(position, fill);
  const marketTimeMs = closing.marketTimeMs ?? (reason === position.exitReason ? position.exitTimeMs : null);
  draft.setPosition(id, {
    state: 'CLOSED',
    exitPrice: fill?.price ?? '',
    exitTimeMs: marketTimeMs ?? fill?.timeMs ?? draft.nowMs,
    exitReason: reason,
    fee: sum(position.fee, fill?.fee ?? ''),
    pnl,
    closeCommandId,
    unknownTimeMs: null,
  });
  if (pnl !== '') realise(draft, pnl);
  const asked = section === 'ZE1_CLOSE' || section === 'EMERGENCY_EXIT';
  draft.tell({
    id: `closed:${draft.session.id}:${id}`,
    instanceId: position.instanceId,
    intentId: asked ? position.closeIntentId : '',
    type: 'CLOSED',
    section,
    reason,
    message: '',
    price: fill?.price ?? '',
    quantity: fill?.quantity ?? position.quantity,
    // Market time; where nobody knows it, the last that is known of the position: the strategy's clock must not run ahead.
    timeMs: marketTimeMs ?? position.entryTimeMs,
  });
}

/** The close had no effect; the position is still there. */
export function notClosed(draft: Draft, id: string, requestId: string, reason: string, message: string): void {
  const position = draft.position(id);
  if (position?.state !== 'CLOSING') return;
  const asked = position.closeIntentId !== '';
  // What a strategy asked for is for the strategy to ask again; what a policy asked for stays to be done.
  draft.setPosition(id, {
    state: 'OPEN',
    closeIntentId: '',
    exitTimeMs: null,
    unknownTimeMs: null,
    ...(asked ? { exitReason: '' } : {}),
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

/** After the fees of entry and exit. Positions are long. */
function profitOf(position: PositionRecord, fill: Fill): string {
  const move = amount(fill.price).minus(amount(position.entryPrice));
  return move.times(amount(position.quantity)).minus(amount(position.fee)).minus(amount(fill.fee)).toFixed();
}

function marginOf(fill: Fill, leverage: string): string {
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

function amount(text: string): Decimal {
  return new Amount(text === '' ? 0 : text);
}
