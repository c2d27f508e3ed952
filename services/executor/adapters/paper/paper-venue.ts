import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { parseDecimal } from '../../domain/decimal.ts';
import {
  type AccountChange,
  applyChange,
  type CloseReason,
  emptyAccount,
  freeBalance,
  OWN,
  type PaperFill,
  type PaperPosition,
} from './account.ts';
import type { FillInit } from './closing.ts';
import { type CostSettings, type PriceCosts, priceCosts } from './costs.ts';
import type { Effect, EffectContext } from './effect.ts';
import { performanceChange, standingOf } from './performance.ts';
import { closePosition, openPosition } from './positions.ts';
import { marketPrice, triggeredBy } from './protection.ts';

/** Highest leverage that is granted unless told otherwise: as much as a strategy may ask for, in a back-test and on paper. */
export const LEVERAGE_MAX = '125';

/** Settings of a paper account. Decimals as text; costs are zero unless told otherwise. */
export interface PaperVenueOptions extends CostSettings {
  /** In the quote asset, above zero. */
  readonly initialBalance: string;
  /** Highest leverage that is granted. Default 125. */
  readonly maxLeverage?: string;
}

/** A market order that enters a position. Decimals as text; empty or absent prices mean none. */
export interface PaperEntry {
  /** Tells positions on one symbol apart, such as a strategy's id. Default: one position a symbol. */
  readonly strategyId?: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** In units of the base asset. */
  readonly quantity: string;
  /** Where the market stands. */
  readonly price: string;
  /** Market time of the decision, milliseconds: prices after it can trigger stop and target. */
  readonly timeMs: number;
  readonly stopLossPrice?: string;
  readonly takeProfitPrice?: string;
  readonly leverage?: string;
}

/** A market order that leaves a position. */
export interface PaperExit {
  readonly strategyId?: string;
  readonly symbol: string;
  /** Absent: all of it. */
  readonly quantity?: string;
  readonly price: string;
  readonly timeMs: number;
}

/** A price event: a closed candle at its close time, or a trade with all three prices the same. */
export interface PaperPrice {
  readonly symbol: string;
  readonly timeMs: number;
  readonly high: string;
  readonly low: string;
  readonly close: string;
}

/** One execution. `pnl` is before the fee and absent for entries. */
export interface PaperExecution {
  readonly strategyId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly pnl?: string;
  readonly timeMs: number;
  /** What closed it; absent for orders. */
  readonly reason?: CloseReason;
}

export type PaperDeal =
  | { readonly filled: PaperExecution }
  | { readonly rejected: { readonly code: string; readonly message: string } };

/**
 * A paper account in memory: the same rules by which the paper adapter trades, without clock, disk or network. The caller
 * says the time with everything that it does, and never goes back in it.
 */
export class PaperVenue {
  readonly #account = emptyAccount();
  readonly #costs: PriceCosts;
  readonly #maxLeverage: string;
  #orders = 0;

  /** @throws Error for a balance that is no number above zero */
  constructor({ initialBalance, maxLeverage = LEVERAGE_MAX, ...costs }: PaperVenueOptions) {
    if (!(parseDecimal(initialBalance)?.gt(0) ?? false)) {
      throw new Error(`the initial balance must be a decimal number above zero, and is "${initialBalance}"`);
    }
    this.#costs = priceCosts(costs);
    this.#maxLeverage = maxLeverage;
    this.#apply([{ collection: 'ledger', key: OWN, value: initialBalance }]);
    this.#mark();
  }

  /** Enters at the price, worse by half the spread and the slippage; rejected above the leverage limit or the free money. */
  open(entry: PaperEntry): PaperDeal {
    const { strategyId = '', symbol, side, quantity, price, timeMs } = entry;
    const effect = openPosition(this.#context(timeMs), {
      sessionId: '',
      strategyId,
      symbol,
      side: side === 'buy' ? Side.BUY : Side.SELL,
      quantity,
      referencePrice: price,
      stopLossPrice: entry.stopLossPrice ?? '',
      takeProfitPrice: entry.takeProfitPrice ?? '',
      leverage: entry.leverage ?? '',
      referenceTime: timestampFromMs(timeMs),
    });
    return this.#settle(effect, strategyId, timeMs);
  }

  /** Leaves at the price, worse by half the spread and the slippage; rejected when there is nothing to leave. */
  close({ strategyId = '', symbol, quantity = '', price, timeMs }: PaperExit): PaperDeal {
    if (this.position(symbol, strategyId) === undefined) {
      return { rejected: { code: 'no_position', message: `no position is open on "${symbol}"` } };
    }
    const referenceTime = timestampFromMs(timeMs);
    const order = { sessionId: '', strategyId, symbol, quantity, referencePrice: price, referenceTime };
    return this.#settle(closePosition(this.#context(timeMs), order), strategyId, timeMs);
  }

  /** Looks at one price event and returns what it closed. @throws Error for prices that are none */
  onPrice({ symbol, timeMs, high, low, close }: PaperPrice): PaperExecution[] {
    const price = marketPrice({ symbol, timeMs, sequence: 0n, source: '' }, { high, low, last: close });
    if (price === undefined)
      throw new Error(`"${symbol}" has no usable price at ${timeMs}: high ${high}, low ${low}, close ${close}`);
    const { triggered, changes } = triggeredBy({ account: this.#account, costs: this.#costs }, price);
    this.#apply([...changes, { collection: 'price', key: price.symbol, value: close }]);
    this.#mark();
    return triggered.map(({ position, reason, fill }) => ({ ...keptExecution(fill, position.strategyId), reason }));
  }

  /** The open position of that name. */
  position(symbol: string, strategyId = ''): PaperPosition | undefined {
    return [...this.#account.position.values()].find(
      (position) => position.symbol === symbol && position.strategyId === strategyId,
    );
  }

  /** Money brought in plus what was realised, fees included. */
  get balance(): string {
    return standingOf(this.#account, OWN).balance.toString();
  }

  /** Balance plus the profit or loss of open positions at the last prices. */
  get equity(): string {
    return standingOf(this.#account, OWN).equity.toString();
  }

  /** Money that an entry may bind as margin. */
  get freeMargin(): string {
    return freeBalance(this.#account, OWN).toString();
  }

  get peakEquity(): string {
    return standingOf(this.#account, OWN).peak.toString();
  }

  /** Fall of the equity from its peak, in percent of the peak. */
  get drawdownPct(): string {
    return standingOf(this.#account, OWN).drawdownPct.toString();
  }

  get maxDrawdownPct(): string {
    return standingOf(this.#account, OWN).maxDrawdownPct.toString();
  }

  #context(timeMs: number): EffectContext {
    const tag = `paper-${++this.#orders}`;
    return {
      account: this.#account,
      tag,
      nowMs: timeMs,
      maxLeverage: this.#maxLeverage,
      costs: this.#costs,
      commandId: tag,
    };
  }

  #settle(effect: Effect, strategyId: string, timeMs: number): PaperDeal {
    if ('refusal' in effect) {
      const { message, metadata } = effect.refusal;
      return { rejected: { code: metadata?.['venue_code'] ?? 'rejected', message } };
    }
    this.#apply(effect.changes);
    this.#mark();
    const [fill] = effect.result.fills ?? [];
    if (fill === undefined) throw new Error('an order was dealt without a fill');
    return { filled: initExecution(fill, strategyId, timeMs) };
  }

  #apply(changes: readonly AccountChange[]): void {
    for (const change of changes) applyChange(this.#account, change);
  }

  #mark(): void {
    const change = performanceChange(this.#account, OWN, standingOf(this.#account, OWN), false);
    if (change !== undefined) applyChange(this.#account, change);
  }
}

function keptExecution(fill: PaperFill, strategyId: string): PaperExecution {
  const { symbol, quantity, price, fee, pnl, timeMs } = fill;
  return { strategyId, symbol, side: sideText(fill.side), quantity, price, fee, pnl, timeMs };
}

function initExecution(fill: FillInit, strategyId: string, timeMs: number): PaperExecution {
  const { symbol = '', side, quantity = '', price = '', fee = '', pnl } = fill;
  const head = { strategyId, symbol, side: sideText(side), quantity, price, fee, timeMs };
  return pnl === undefined || pnl === '' ? head : { ...head, pnl };
}

function sideText(side: Side | undefined): 'buy' | 'sell' {
  return side === Side.SELL ? 'sell' : 'buy';
}
