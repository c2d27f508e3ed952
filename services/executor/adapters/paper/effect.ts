import type { Decimal } from 'decimal.js';
import type { PriceCosts } from './costs.ts';
import { parseDecimal } from '../../domain/decimal.ts';
import type { Outcome, OutcomeReason, ResultInit } from '../adapter.ts';
import { type AccountChange, type PaperAccount, symbolKey } from './account.ts';

/** What executing a command on the account comes to: nothing is changed unless it succeeded. */
export type Effect =
  | { readonly result: ResultInit; readonly changes: readonly AccountChange[] }
  | { readonly refusal: Extract<Outcome, { status: 'rejected' }> };

/** What every execution gets. */
export interface EffectContext {
  readonly account: PaperAccount;
  readonly tag: string;
  readonly nowMs: number;
  readonly maxLeverage: string;
  readonly costs: PriceCosts;
  /** The command that is executed; empty for none. */
  readonly commandId: string;
}

export function done(summary: string, changes: readonly AccountChange[], result: ResultInit = {}): Effect {
  return { result: { summary, ...result }, changes };
}

/** "1 position", "2 positions". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Refused with a sentence; `code` is what a broker would call its own error code. */
export function refuse(code: string, message: string, reason: OutcomeReason = 'VENUE_REJECTED'): Effect {
  return { refusal: { status: 'rejected', reason, message, metadata: { venue_code: code } } };
}

/** A number above zero, or the refusal of the field that holds something else. */
export function positive(field: string, text: string): Decimal | Effect {
  const value = parseDecimal(text);
  if (value !== undefined && value.gt(0)) return value;
  return refuse('invalid_field', `${field} must be a decimal number above zero, and is "${text}"`, 'INVALID_FIELD');
}

/** The price at which the paper venue deals: the command's own, else the last that it has seen of the symbol. */
export function dealPrice(account: PaperAccount, symbol: string, referencePrice: string): Decimal | Effect {
  if (referencePrice !== '') return positive('reference_price', referencePrice);
  const last = account.price.get(symbolKey(symbol));
  if (last !== undefined) return positive('last price', last);
  return refuse(
    'no_price',
    `the paper venue has never seen a price of "${symbol}": send reference_price with the command`,
  );
}

export function isEffect(value: Decimal | Effect): value is Effect {
  return 'refusal' in value || 'changes' in value;
}
