import { validate as isUuid } from 'uuid';
import type { OwnedFill } from './positions.ts';
import type { CommandEnd, OpenCommandState } from './records.ts';

/** A position as an executor's status lists it. */
export interface VenuePosition {
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly quantity: string;
  readonly entryPrice: string;
}

/** What is known of a command at one moment. */
export interface Observed {
  readonly requestId: string;
  readonly commandId: string;
  readonly state: OpenCommandState | CommandEnd;
  /** Reason and sentence of one that did not succeed. */
  readonly reason: string;
  readonly message: string;
  readonly finishTimeMs: number | null;
  readonly fills: readonly OwnedFill[];
  /** Of a close that found the position closed by something else: what that was. */
  readonly closedBy: string;
  /** Of a status; undefined where there is none. */
  readonly positions: readonly VenuePosition[] | undefined;
}

/** Ids of the sessions whose positions the fills say that they closed. */
export function namedSessions(fills: readonly OwnedFill[]): readonly string[] {
  return [...new Set(fills.map(({ sessionId }) => sessionId))].filter((id) => isUuid(id));
}
