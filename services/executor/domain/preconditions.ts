import type { CommandFacts, VenueFacts } from './command-facts.ts';
import { parseDecimal } from './decimal.ts';
import type { Refusal } from './refusal.ts';

/** How a session stands with the adapter. */
export type SessionStanding = 'absent' | 'active' | 'paused';

/** What must hold at the moment of the start. */
export interface Preconditions {
  readonly sessionState?: SessionStanding | undefined;
  /** The revision that the instance must be running. */
  readonly strategyRevision?: bigint | undefined;
  readonly priceBand?: { readonly minPrice: string; readonly maxPrice: string } | undefined;
}

function refuse(precondition: string, message: string): Refusal {
  return { reason: 'PRECONDITION_FAILED', message, metadata: { precondition } };
}

/** The first precondition that does not hold. `price` is the venue's price of the symbol now, undefined where it has none. */
export function checkPreconditions(
  wanted: Preconditions,
  command: CommandFacts,
  venue: VenueFacts,
  price: string | undefined,
): Refusal | undefined {
  return (
    checkSession(wanted, command, venue) ?? checkRevision(wanted, command, venue) ?? checkPrice(wanted, command, price)
  );
}

function checkSession(wanted: Preconditions, command: CommandFacts, venue: VenueFacts): Refusal | undefined {
  if (wanted.sessionState === undefined) return undefined;
  const session = venue.sessions.find((candidate) => candidate.sessionId === command.sessionId);
  const standing = session === undefined ? 'absent' : session.paused || venue.paused ? 'paused' : 'active';
  if (standing === wanted.sessionState) return undefined;
  return refuse(
    'session_state',
    `session "${command.sessionId}" is ${standing}, and the command needs it ${wanted.sessionState}`,
  );
}

function checkRevision(wanted: Preconditions, command: CommandFacts, venue: VenueFacts): Refusal | undefined {
  if (wanted.strategyRevision === undefined) return undefined;
  const running = venue.sessions
    .find((session) => session.sessionId === command.sessionId)
    ?.instances.find((instance) => instance.strategyId === command.strategyId && instance.symbol === command.symbol);
  if (running?.strategyRevision === wanted.strategyRevision) return undefined;
  const found = running === undefined ? 'is not running' : `runs revision ${running.strategyRevision}`;
  return refuse(
    'strategy_revision',
    `strategy "${command.strategyId}" on ${command.symbol} ${found}, and the command needs revision ${wanted.strategyRevision}`,
  );
}

function checkPrice(wanted: Preconditions, command: CommandFacts, priceText: string | undefined): Refusal | undefined {
  if (wanted.priceBand === undefined) return undefined;
  const { minPrice, maxPrice } = wanted.priceBand;
  const price = parseDecimal(priceText ?? '');
  if (price === undefined)
    return refuse('price_band', `the venue has no price of "${command.symbol}" to compare with the band`);
  const min = minPrice === '' ? undefined : parseDecimal(minPrice);
  const max = maxPrice === '' ? undefined : parseDecimal(maxPrice);
  const unreadable = (minPrice !== '' && min === undefined) || (maxPrice !== '' && max === undefined);
  if (!unreadable && (min === undefined || price.gte(min)) && (max === undefined || price.lte(max))) return undefined;
  return refuse('price_band', `price ${price.toString()} is outside the band from "${minPrice}" to "${maxPrice}"`);
}
