import type { Decimal } from 'decimal.js';
import type { CommandFacts, PositionKey } from './command-facts.ts';
import { parseDecimal } from './decimal.ts';
import type { Refusal } from './refusal.ts';

/**
 * What this agent may do, set where it runs. The platform cannot widen it. Limits hold risk in and never an exit: apart
 * from `kinds` they bear on what opens something, so that what is open can always be closed.
 */
export interface LocalLimits {
  /** Names of the kinds that may be executed; all of the adapter's when undefined. */
  readonly kinds?: readonly string[];
  /** Symbols that sessions, strategies and positions may be opened on; all when undefined. */
  readonly symbols?: readonly string[];
  /** Largest quantity of one order, decimal, in units of the base asset. */
  readonly maxQuantity?: string;
  /** Largest quantity times price of one order, decimal, in the quote asset. */
  readonly maxNotional?: string;
  /** Most positions open at once. */
  readonly maxOpenPositions?: number;
}

/** What is known of the venue when a limit is checked; asked for only by the limits that need it. */
export interface LimitFacts {
  /** The venue's own price of the symbol, decimal; undefined where it has none. */
  readonly venuePrice: string | undefined;
  /** Positions that are open or just being opened by other commands. */
  readonly positions: readonly PositionKey[];
}

const OPENING_KINDS: ReadonlySet<string> = new Set(['start_session', 'start_strategy', 'open_position']);

function refuse(limit: string, message: string): Refusal {
  return { reason: 'LOCAL_LIMIT', message, metadata: { limit } };
}

/** Whether the kind may be executed here at all. */
export function checkKind(limits: LocalLimits, kind: string): Refusal | undefined {
  if (limits.kinds === undefined || limits.kinds.includes(kind)) return undefined;
  return refuse('kinds', `this agent's own limits do not allow ${kind}; it allows ${limits.kinds.join(', ')}`);
}

/** The first of the agent's own limits that the command breaks; undefined when it may start. */
export function checkLimits(limits: LocalLimits, command: CommandFacts, facts: LimitFacts): Refusal | undefined {
  const kind = checkKind(limits, command.kind);
  if (kind !== undefined || !OPENING_KINDS.has(command.kind)) return kind;
  return (
    checkSymbols(limits, command) ??
    (command.kind === 'open_position'
      ? (checkSize(limits, command, facts.venuePrice) ?? checkOpenPositions(limits, command, facts.positions))
      : undefined)
  );
}

function checkSymbols(limits: LocalLimits, command: CommandFacts): Refusal | undefined {
  const { symbols } = limits;
  if (symbols === undefined) return undefined;
  const named = command.kind === 'start_session' ? command.symbols : [command.symbol];
  const forbidden = named.find((symbol) => !symbols.includes(symbol));
  if (forbidden === undefined) return undefined;
  return refuse(
    'symbols',
    `this agent's own limits do not allow the symbol "${forbidden}"; they allow ${symbols.join(', ')}`,
  );
}

function checkSize(limits: LocalLimits, command: CommandFacts, venuePrice: string | undefined): Refusal | undefined {
  if (limits.maxQuantity === undefined && limits.maxNotional === undefined) return undefined;
  const quantity = parseDecimal(command.quantity);
  if (quantity === undefined) {
    return {
      reason: 'INVALID_FIELD',
      message: `quantity "${command.quantity}" is no decimal number`,
      metadata: { field: 'quantity' },
    };
  }
  if (limits.maxQuantity !== undefined && quantity.abs().gt(limits.maxQuantity)) {
    return refuse(
      'max_quantity',
      `quantity ${command.quantity} is above this agent's own limit of ${limits.maxQuantity}`,
    );
  }
  if (limits.maxNotional === undefined) return undefined;
  const price = highestPrice(command.referencePrice, venuePrice);
  if (price === undefined) {
    return refuse(
      'max_notional',
      `this agent limits the notional of an order and knows no price of ${command.symbol}: send reference_price`,
    );
  }
  const notional = quantity.abs().times(price);
  if (notional.lte(limits.maxNotional)) return undefined;
  return refuse(
    'max_notional',
    `notional ${notional.toString()} is above this agent's own limit of ${limits.maxNotional}`,
  );
}

/** The higher of both prices: a low reference price sent along must not widen the limit. */
function highestPrice(referencePrice: string, venuePrice: string | undefined): Decimal | undefined {
  const known = [referencePrice, venuePrice ?? ''].map(parseDecimal).filter((price) => price !== undefined);
  return known.reduce<Decimal | undefined>(
    (high, price) => (high === undefined || price.gt(high) ? price : high),
    undefined,
  );
}

function checkOpenPositions(
  limits: LocalLimits,
  command: CommandFacts,
  positions: readonly PositionKey[],
): Refusal | undefined {
  if (limits.maxOpenPositions === undefined) return undefined;
  const open = new Set(positions.map(positionName));
  if (open.has(positionName(command)) || open.size < limits.maxOpenPositions) return undefined;
  return refuse(
    'max_open_positions',
    `${open.size} positions are open, which is all that this agent's own limits allow`,
  );
}

/** One text for the three parts, which may hold any character. */
export function positionName(key: PositionKey): string {
  return JSON.stringify([key.sessionId, key.strategyId, key.symbol]);
}
