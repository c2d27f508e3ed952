import { Decimal } from 'decimal.js';

/** Money is counted exactly: more digits than any price, quantity or product of them has. */
const Amount = Decimal.clone({ precision: 80, toExpNeg: -1_000, toExpPos: 1_000 });

/** Decimals of quantities and prices. */
const PLACES = 8;

/** Distance of a stop or target from the entry's price, in percent of it. */
export interface ExitOffset {
  readonly enabled: boolean;
  readonly offsetPercent: number;
}

/** What of a strategy's definition decides the size of an entry and its stops. */
export interface EntryTerms {
  readonly z1Entry?:
    | {
        /** `percentage` of the equity (2 is two percent), or a `fixed` amount of the quote asset. */
        readonly positionSize?: { readonly type: 'percentage' | 'fixed'; readonly value: number } | undefined;
        readonly stopLoss?: ExitOffset | undefined;
        readonly takeProfit?: ExitOffset | undefined;
        /** Multiplier of the margin; absent: 1. */
        readonly leverage?: number | undefined;
      }
    | undefined;
  readonly globalLimits?:
    | {
        /** Fraction of the equity, for an entry that names no size. */
        readonly basePositionPct?: number | undefined;
        /** Absent: 1. */
        readonly maxLeverage?: number | undefined;
      }
    | undefined;
}

/** An entry's size and exits. Decimals as strings; a stop or target that is not wanted is empty. */
export interface EntryOrder {
  readonly quantity: string;
  readonly stopLossPrice: string;
  readonly takeProfitPrice: string;
  readonly leverage: string;
  /** What the entry binds of the equity. */
  readonly margin: string;
}

/** Why there is no entry: a short constant reason, and a sentence. */
export interface EntryRejection {
  readonly rejected:
    | 'no_size'
    | 'leverage_limit'
    | 'equity_exhausted'
    | 'quantity_zero'
    | 'stop_price'
    | 'target_price';
  readonly message: string;
}

type Money = Decimal | string | number;

/**
 * Sizes an entry at `price`. `equity` is the session's (initial balance and realised profit, fees included), `freeEquity` what
 * no open position binds of it; both and `price` are decimals in the quote asset, the price above 0. The margin times the
 * leverage, divided by the price and rounded down to 8 decimals, is the quantity.
 */
export function entryOrder(
  terms: EntryTerms,
  equity: Money,
  price: Money,
  freeEquity: Money = equity,
): EntryOrder | EntryRejection {
  const at = new Amount(price);
  const margin = marginOf(terms, new Amount(equity));
  if (margin === undefined) {
    return rejection('no_size', 'the strategy has neither z1_entry.positionSize nor global_limits.base_position_pct');
  }
  const leverage = new Amount(terms.z1Entry?.leverage ?? 1);
  const leverageMax = new Amount(terms.globalLimits?.maxLeverage ?? 1);
  if (leverage.gt(leverageMax)) {
    return rejection(
      'leverage_limit',
      `leverage ${text(leverage)} is above the strategy's limit of ${text(leverageMax)}`,
    );
  }
  const free = new Amount(freeEquity);
  if (margin.gt(free) || free.lte(0)) {
    return rejection('equity_exhausted', `a margin of ${text(margin)} is above the free equity of ${text(free)}`);
  }
  const quantity = margin.times(leverage).div(at).toDecimalPlaces(PLACES, Decimal.ROUND_DOWN);
  if (quantity.lte(0)) {
    return rejection('quantity_zero', `a margin of ${text(margin)} buys nothing at a price of ${text(at)}`);
  }
  const stop = exitPrice(at, terms.z1Entry?.stopLoss, -1);
  const target = exitPrice(at, terms.z1Entry?.takeProfit, 1);
  // Rounded onto the entry's own price, either would end the position with the next price, whatever that is.
  if (stop !== undefined && (stop.lte(0) || stop.gte(at))) {
    const offset = `a stop ${terms.z1Entry?.stopLoss?.offsetPercent} percent below ${text(at)}`;
    return rejection('stop_price', `${offset} is ${text(stop)} to ${PLACES} decimals, which is no price below it`);
  }
  if (target?.lte(at) === true) {
    const offset = `a target ${terms.z1Entry?.takeProfit?.offsetPercent} percent above ${text(at)}`;
    return rejection('target_price', `${offset} is ${text(target)} to ${PLACES} decimals, which is no price above it`);
  }
  return {
    quantity: text(quantity),
    stopLossPrice: stop === undefined ? '' : text(stop),
    takeProfitPrice: target === undefined ? '' : text(target),
    leverage: text(leverage),
    margin: text(margin),
  };
}

/** Undefined where the definition names no size. */
function marginOf({ z1Entry, globalLimits }: EntryTerms, equity: Decimal): Decimal | undefined {
  const size = z1Entry?.positionSize;
  if (size?.type === 'fixed') return new Amount(size.value);
  if (size !== undefined) return equity.times(size.value).div(100);
  const fraction = globalLimits?.basePositionPct;
  return fraction === undefined ? undefined : equity.times(fraction);
}

function exitPrice(price: Decimal, offset: ExitOffset | undefined, direction: 1 | -1): Decimal | undefined {
  if (offset?.enabled !== true) return undefined;
  const factor = new Amount(offset.offsetPercent).div(100).times(direction).plus(1);
  return price.times(factor).toDecimalPlaces(PLACES, Decimal.ROUND_HALF_UP);
}

function text(amount: Decimal): string {
  return amount.toFixed();
}

function rejection(rejected: EntryRejection['rejected'], message: string): EntryRejection {
  return { rejected, message };
}
