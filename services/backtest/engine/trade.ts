/** One position from its entry to its exit. Decimals as text; times are market time. */
export interface Trade {
  readonly id: string;
  readonly instanceId: string;
  readonly entryTimeMs: number;
  readonly entryPrice: string;
  readonly quantity: string;
  readonly leverage: string;
  readonly stopLossPrice: string;
  readonly takeProfitPrice: string;
  /** Absent while it is open. */
  readonly exit: TradeExit | undefined;
}

export interface TradeExit {
  readonly timeMs: number;
  readonly price: string;
  /** Such as ze1_close, emergency_exit, stop_loss, take_profit. */
  readonly reason: string;
  /** Of entry and exit together. */
  readonly fee: string;
  /** After fees. */
  readonly pnl: string;
}
