import type { Decimal } from 'decimal.js';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { Amount } from '../../domain/decimal.ts';

/** What dealing costs, as fractions: 0.001 is a tenth of a percent. */
export interface PriceCosts {
  /** Of the value of each fill. */
  readonly fee: Decimal;
  /** By which a market order is dealt worse than the price: half the spread, and the slippage. */
  readonly off: Decimal;
}

/** Percentages as text; empty or absent means none. */
export interface CostSettings {
  readonly feePct?: string;
  readonly spreadPct?: string;
  readonly slippagePct?: string;
}

export function priceCosts({ feePct, spreadPct, slippagePct }: CostSettings): PriceCosts {
  return { fee: fraction(feePct), off: fraction(spreadPct).div(2).plus(fraction(slippagePct)) };
}

/** The price of a market order when the market stands at `price`. */
export function dealtPrice(side: Side, price: Decimal, { off }: PriceCosts): Decimal {
  return off.isZero() ? price : price.times(side === Side.BUY ? off.plus(1) : off.neg().plus(1));
}

export function feeOf(quantity: Decimal, price: Decimal, { fee }: PriceCosts): Decimal {
  return quantity.times(price).times(fee);
}

function fraction(pct: string | undefined): Decimal {
  return new Amount(pct ?? 0).div(100);
}
