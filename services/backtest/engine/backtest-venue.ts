import { Decimal } from 'decimal.js';
import { type PaperExecution, PaperVenue } from '../../executor/index.ts';
import type { MarketEvent } from '../../market/index.ts';
import type { EntryOrder } from '../../session/index.ts';
import type { Trade } from './trade.ts';

/** Percentages as decimal text; empty: none. */
export interface Costs {
  readonly feePercent: string;
  readonly spreadPercent: string;
  readonly slippagePercent: string;
}

/** A trade that has just been closed, and by what. */
export interface VenueClose {
  readonly instanceId: string;
  readonly trade: Trade;
  readonly section: 'stop_loss' | 'take_profit' | 'session' | 'venue';
}

interface Order {
  readonly instanceId: string;
  /** Decimal; where the market stands. */
  readonly price: string;
  /** Market time. */
  readonly timeMs: number;
}

interface OpenTrade {
  readonly trade: Trade;
  readonly fee: Decimal;
}

const Amount = Decimal.clone({ precision: 80, toExpNeg: -1_000, toExpPos: 1_000 });

/** The paper venue of a back-test: one account, at most one position an instance, and the trades that came of it. */
export class BacktestVenue {
  readonly #paper: PaperVenue;
  readonly #symbol: string;
  readonly #initialBalance: string;
  readonly #open = new Map<string, OpenTrade>();
  #trades = 0;
  #winners = 0;
  #fees = new Amount(0);
  #equityNumber: number;

  constructor(options: { readonly symbol: string; readonly initialBalance: string; readonly costs: Costs }) {
    const { feePercent, spreadPercent, slippagePercent } = options.costs;
    this.#symbol = options.symbol;
    this.#initialBalance = options.initialBalance;
    this.#equityNumber = Number(options.initialBalance);
    this.#paper = new PaperVenue({
      initialBalance: options.initialBalance,
      feePct: feePercent || '0',
      spreadPct: spreadPercent || '0',
      slippagePct: slippagePercent || '0',
    });
  }

  /** Realised: what sizes are made of. */
  balance(): string {
    return this.#paper.balance;
  }

  freeMargin(): string {
    return this.#paper.freeMargin;
  }

  /** With open positions at the last price; for drawing. */
  equityNumber(): number {
    return this.#equityNumber;
  }

  /** Looks at an event, and returns what its prices closed. */
  meet(event: MarketEvent): VenueClose[] {
    // Without a position nothing can be touched and the equity stands still: most events of most series.
    if (this.#open.size === 0) return [];
    const prices =
      event.kind === 'candle'
        ? { high: event.high, low: event.low, close: event.close }
        : { high: event.price, low: event.price, close: event.price };
    const executions = this.#paper.onPrice({ symbol: this.#symbol, timeMs: event.timeMs, ...prices });
    const closes = executions.map((execution) => {
      const reason = execution.reason ?? 'session';
      const section = sectionOf(reason);
      return this.#closed(execution.strategyId, execution, reason, section);
    });
    this.#equityNumber = Number(this.#paper.equity);
    return closes;
  }

  open({
    instanceId,
    order,
    price,
    timeMs,
  }: Order & { readonly order: EntryOrder }): { readonly trade: Trade } | { readonly rejected: string } {
    const { quantity, stopLossPrice, takeProfitPrice, leverage } = order;
    const deal = this.#paper.open({
      strategyId: instanceId,
      symbol: this.#symbol,
      side: 'buy',
      quantity,
      price,
      timeMs,
      stopLossPrice,
      takeProfitPrice,
      leverage,
    });
    if ('rejected' in deal) return { rejected: deal.rejected.message };
    this.#trades += 1;
    const trade: Trade = {
      id: `trade-${this.#trades}`,
      instanceId,
      entryTimeMs: timeMs,
      entryPrice: deal.filled.price,
      quantity: deal.filled.quantity,
      leverage,
      stopLossPrice,
      takeProfitPrice,
      exit: undefined,
    };
    const fee = new Amount(deal.filled.fee);
    this.#fees = this.#fees.plus(fee);
    this.#open.set(instanceId, { trade, fee });
    this.#equityNumber = Number(this.#paper.equity);
    return { trade };
  }

  /** Undefined when the instance holds nothing. */
  close({ instanceId, price, timeMs, reason }: Order & { readonly reason: string }): VenueClose | undefined {
    if (!this.#open.has(instanceId)) return undefined;
    const deal = this.#paper.close({ strategyId: instanceId, symbol: this.#symbol, price, timeMs });
    if ('rejected' in deal) throw new Error(`the paper venue does not close what it holds: ${deal.rejected.message}`);
    const close = this.#closed(instanceId, deal.filled, reason, 'venue');
    this.#equityNumber = Number(this.#paper.equity);
    return close;
  }

  /** Decimals as text. */
  totals() {
    return {
      equity: this.#paper.equity,
      realisedPnl: new Amount(this.#paper.balance).minus(this.#initialBalance).toFixed(),
      fees: this.#fees.toFixed(),
      maxDrawdownPct: new Amount(this.#paper.maxDrawdownPct).toDecimalPlaces(8).toFixed(),
      trades: this.#trades,
      winningTrades: this.#winners,
      openPositions: this.#open.size,
    };
  }

  #closed(instanceId: string, execution: PaperExecution, reason: string, section: VenueClose['section']): VenueClose {
    const open = this.#open.get(instanceId);
    if (open === undefined) throw new Error(`${instanceId} holds nothing that could be closed`);
    this.#open.delete(instanceId);
    const exitFee = new Amount(execution.fee);
    this.#fees = this.#fees.plus(exitFee);
    const fee = open.fee.plus(exitFee);
    const pnl = new Amount(execution.pnl ?? 0).minus(fee);
    if (pnl.gt(0)) this.#winners += 1;
    const exit = { timeMs: execution.timeMs, price: execution.price, reason, fee: fee.toFixed(), pnl: pnl.toFixed() };
    return { instanceId, trade: { ...open.trade, exit }, section };
  }
}

/** As the session service names it: a liquidation is the venue's. */
function sectionOf(reason: string): VenueClose['section'] {
  if (reason === 'stop_loss' || reason === 'take_profit') return reason;
  return reason === 'liquidation' ? 'venue' : 'session';
}
