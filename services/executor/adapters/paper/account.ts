import type { Decimal } from 'decimal.js';
import { Amount } from '../../domain/decimal.ts';
import type { DisconnectPolicy, SessionMode } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { PositionKey } from '../../domain/command-facts.ts';
import { positionName } from '../../domain/local-limits.ts';

/** A started strategy. Numbers and revisions are text, so that the account can be kept as JSON without loss. */
export interface PaperInstance {
  readonly strategyId: string;
  readonly strategyRevision: string;
  readonly symbol: string;
}

export interface PaperSession {
  readonly sessionId: string;
  readonly mode: SessionMode;
  readonly paused: boolean;
  /** Symbols that it may trade; empty for all. */
  readonly symbols: readonly string[];
  readonly instances: readonly PaperInstance[];
  /** What to do when the platform is lost; absent in sessions of older agents: hold. */
  readonly disconnectPolicy?: DisconnectPolicy;
  /** Absent: as long as the policy says by itself. */
  readonly disconnectAfterMs?: number;
  /** The policy has been carried out, and the platform has not come back since. */
  readonly disconnectApplied?: boolean;
}

export interface PaperPosition extends PositionKey {
  readonly side: Side;
  readonly quantity: string;
  readonly entryPrice: string;
  readonly leverage: string;
  /** Resting protective orders; empty for none. Prices of the platform trigger them. */
  readonly stopLossPrice: string;
  readonly takeProfitPrice: string;
  /** Market time of the first entry: prices after it can trigger. Absent where none was known: all later ones can. */
  readonly entryTimeMs?: number;
  /** The command that entered, and the venue's id of its order. */
  readonly openCommandId?: string;
  readonly orderId?: string;
}

/** Why a position was closed without a command. */
export type CloseReason = 'stop_loss' | 'take_profit' | 'liquidation' | 'disconnect';

/** A fill as it is kept: text for numbers, milliseconds for times. */
export interface PaperFill {
  readonly symbol: string;
  readonly side: Side;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly pnl: string;
  readonly venueOrderId: string;
  readonly timeMs: number;
}

/** How a position ended that the venue closed by itself; kept until the next one of its name, for the command that comes late. */
export interface ClosedPosition {
  readonly reason: CloseReason;
  readonly fill: PaperFill;
}

/** How a ledger has done. Decimals. */
export interface PaperPerformance {
  readonly peak: string;
  readonly maxDrawdownPct: string;
  /** Worst drawdown that was reported, in whole percent. */
  readonly toldPct: number;
}

/** Up to which price a symbol has been looked at. */
export interface PaperQuote {
  readonly timeMs: number;
  readonly sequence: string;
  readonly source: string;
}

/** The records of an account by collection. A ledger is a balance: one for each session that brought money, and "" for the rest. */
export interface PaperRecords {
  readonly account: { readonly paused: boolean };
  readonly ledger: string;
  readonly price: string;
  readonly session: PaperSession;
  readonly position: PaperPosition;
  readonly closed: ClosedPosition;
  readonly performance: PaperPerformance;
  readonly quote: PaperQuote;
}

export type Collection = keyof PaperRecords;

/** One record that an effect writes, or removes when there is no value. */
export type AccountChange = {
  [C in Collection]: { readonly collection: C; readonly key: string; readonly value: PaperRecords[C] | undefined };
}[Collection];

/** The account in memory: every record by its key, and what follows from the records. */
export type PaperAccount = { readonly [C in Collection]: Map<string, PaperRecords[C]> } & {
  /** Margin that the open positions of each session bind. */
  readonly bound: Map<string, Decimal>;
};

/** Key of the one record in `account`, and of the ledger that belongs to no session. */
export const OWN = '';

export function emptyAccount(): PaperAccount {
  return {
    account: new Map(),
    ledger: new Map(),
    price: new Map(),
    session: new Map(),
    position: new Map(),
    closed: new Map(),
    performance: new Map(),
    quote: new Map(),
    bound: new Map(),
  };
}

export function applyChange(account: PaperAccount, change: AccountChange): void {
  const records: Map<string, PaperRecords[Collection]> = account[change.collection];
  if (change.collection === 'position') {
    bind(account, account.position.get(change.key), -1);
    bind(account, change.value, 1);
  }
  if (change.value === undefined) records.delete(change.key);
  else records.set(change.key, change.value);
}

export function isPaused(account: PaperAccount): boolean {
  return account.account.get(OWN)?.paused ?? false;
}

/** The ledger that pays for a session: its own when it brought money, else the account's. */
export function ledgerKey(account: PaperAccount, sessionId: string): string {
  return account.ledger.has(sessionId) ? sessionId : OWN;
}

export function balanceOf(account: PaperAccount, ledger: string): Decimal {
  return new Amount(account.ledger.get(ledger) ?? 0);
}

/** Money that no open position binds as margin. Losses of open positions bind too; their profits free nothing. */
export function freeBalance(account: PaperAccount, ledger: string): Decimal {
  const bound = [...account.bound].filter(([sessionId]) => ledgerKey(account, sessionId) === ledger);
  const money = Amount.min(balanceOf(account, ledger), ledgerEquity(account, ledger));
  return money.minus(Amount.sum(0, ...bound.map(([, margin]) => margin)));
}

/** A ledger's balance plus what its open positions would bring at their last known prices. */
export function ledgerEquity(account: PaperAccount, ledger: string): Decimal {
  const own = [...account.position.values()].filter((position) => ledgerKey(account, position.sessionId) === ledger);
  return Amount.sum(balanceOf(account, ledger), ...own.map((position) => unrealised(account, position)));
}

function unrealised(account: PaperAccount, position: PaperPosition): Decimal {
  return profit(position, new Amount(position.quantity), lastPrice(account, position));
}

/** The last price seen of a position's symbol: there is always one, that of the entry at least. */
export function lastPrice(account: PaperAccount, position: PaperPosition): Decimal {
  return new Amount(account.price.get(symbolKey(position.symbol)) ?? position.entryPrice);
}

/** Symbols are the same in upper and in lower case. */
export function symbolKey(symbol: string): string {
  return symbol.toUpperCase();
}

function bind(account: PaperAccount, position: PaperPosition | undefined, sign: 1 | -1): void {
  if (position === undefined) return;
  const margin = new Amount(position.quantity).times(position.entryPrice).div(position.leverage).times(sign);
  const bound = (account.bound.get(position.sessionId) ?? new Amount(0)).plus(margin);
  if (bound.isZero()) account.bound.delete(position.sessionId);
  else account.bound.set(position.sessionId, bound);
}

/** Profit or loss of closing `quantity` of a position at `price`. */
export function profit(position: PaperPosition, quantity: Decimal, price: Decimal): Decimal {
  const move = price.minus(position.entryPrice);
  return (position.side === Side.BUY ? move : move.neg()).times(quantity);
}

/** Balances plus what the open positions would bring at their last known prices. */
export function equity(account: PaperAccount): Decimal {
  const balances = [...account.ledger.values()].map((balance) => new Amount(balance));
  const open = [...account.position.values()].map((position) => unrealised(account, position));
  return Amount.sum(0, ...balances, ...open);
}

/** Positions that a command means: each field that it sets must match. */
export function positionsWithin(account: PaperAccount, scope: Partial<PositionKey>): PaperPosition[] {
  const wanted = [scope.sessionId, scope.strategyId, scope.symbol];
  return [...account.position.values()].filter((position) =>
    [position.sessionId, position.strategyId, position.symbol].every((part, at) => {
      const want = wanted[at] ?? '';
      return want === '' || want === part;
    }),
  );
}

export function positionChange(position: PaperPosition, quantity?: Decimal): AccountChange {
  const key = positionName(position);
  if (quantity?.isZero() === true) return { collection: 'position', key, value: undefined };
  return { collection: 'position', key, value: { ...position, quantity: quantity?.toString() ?? position.quantity } };
}
