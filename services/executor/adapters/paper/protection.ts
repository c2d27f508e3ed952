import type { Decimal } from 'decimal.js';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { Amount, parseDecimal } from '../../domain/decimal.ts';
import {
  type AccountChange,
  type CloseReason,
  type PaperAccount,
  type PaperFill,
  type PaperPosition,
  symbolKey,
} from './account.ts';
import { type Closing, closePositions } from './closing.ts';
import type { PriceCosts } from './costs.ts';

/** One price event: everything between low and high was dealt, and it ended at `last`. */
export interface MarketPrice {
  readonly symbol: string;
  /** Market time: a candle's close, a trade's time. */
  readonly timeMs: number;
  /** Rises within the symbol. */
  readonly sequence: bigint;
  /** Where it changes, another series begins. */
  readonly source: string;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly last: Decimal;
}

/** A position that a price closed. */
export interface Triggered {
  readonly position: PaperPosition;
  readonly reason: CloseReason;
  readonly fill: PaperFill;
}

/** A price event from text; undefined when one of its prices is no number above zero, or the low lies above the high. */
export function marketPrice(
  head: Pick<MarketPrice, 'symbol' | 'timeMs' | 'sequence' | 'source'>,
  prices: { readonly high: string; readonly low: string; readonly last: string },
): MarketPrice | undefined {
  const [high, low, last] = [prices.high, prices.low, prices.last].map(parseDecimal);
  if (high === undefined || low === undefined || last === undefined) return undefined;
  if (low.lte(0) || low.gt(high) || last.lt(low) || last.gt(high)) return undefined;
  return { ...head, symbol: symbolKey(head.symbol), high, low, last };
}

/** What the price does to positions that were entered before it: stops first, each at its own price. */
export function triggeredBy(
  context: { readonly account: PaperAccount; readonly costs: PriceCosts },
  price: MarketPrice,
  among: Iterable<PaperPosition> = context.account.position.values(),
): { readonly triggered: readonly Triggered[]; readonly changes: AccountChange[] } {
  const closings: (Closing & { readonly reason: CloseReason })[] = [];
  for (const position of among) {
    if (symbolKey(position.symbol) !== price.symbol) continue;
    if (position.entryTimeMs !== undefined && price.timeMs <= position.entryTimeMs) continue;
    const end = endOf(position, price);
    if (end !== undefined) closings.push({ position, quantity: new Amount(position.quantity), ...end });
  }
  if (closings.length === 0) return { triggered: [], changes: [] };
  const { kept, changes } = closePositions({ ...context, tag: 'price', nowMs: price.timeMs }, closings);
  const triggered = closings.flatMap(({ position, reason }, at) => {
    const fill = kept[at];
    return fill === undefined ? [] : [{ position, reason, fill }];
  });
  return { triggered, changes };
}

/** How the price ends the position; undefined when it does not. */
function endOf(
  position: PaperPosition,
  { high, low }: MarketPrice,
): { readonly reason: CloseReason; readonly price: Decimal } | undefined {
  const isLong = position.side === Side.BUY;
  const hitAgainst = (at: Decimal): boolean => (isLong ? low.lte(at) : high.gte(at));
  const stop = parseDecimal(position.stopLossPrice);
  const liquidation = liquidationPrice(position);
  const losses = [
    ...(stop === undefined ? [] : [{ reason: 'stop_loss' as const, price: stop }]),
    ...(liquidation === undefined ? [] : [{ reason: 'liquidation' as const, price: liquidation }]),
  ].filter(({ price }) => hitAgainst(price));
  // Of two that were passed the one nearer to the entry came first.
  const first = losses.toSorted((a, b) => (isLong ? b.price.cmp(a.price) : a.price.cmp(b.price)))[0];
  if (first !== undefined) return first;
  const target = parseDecimal(position.takeProfitPrice);
  if (target !== undefined && (isLong ? high.gte(target) : low.lte(target))) {
    return { reason: 'take_profit', price: target };
  }
  return undefined;
}

/** Where the loss has eaten the margin; undefined where no price does that. */
export function liquidationPrice({ side, entryPrice, leverage }: PaperPosition): Decimal | undefined {
  const share = new Amount(1).div(leverage);
  const price = new Amount(entryPrice).times(side === Side.BUY ? share.neg().plus(1) : share.plus(1));
  return price.gt(0) ? price : undefined;
}
