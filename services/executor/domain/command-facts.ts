/** What limits and preconditions look at; empty text where the command does not say it, as on the wire. */
export interface CommandFacts {
  readonly kind: string;
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
  /** Symbols of a session that is to be opened. */
  readonly symbols: readonly string[];
  readonly quantity: string;
  readonly referencePrice: string;
}

/** What the adapter reports of itself, as far as limits and preconditions need it. */
export interface VenueFacts {
  readonly paused: boolean;
  readonly sessions: readonly {
    readonly sessionId: string;
    readonly paused: boolean;
    readonly instances: readonly {
      readonly strategyId: string;
      readonly symbol: string;
      readonly strategyRevision: bigint;
    }[];
  }[];
  readonly positions: readonly PositionKey[];
}

/** A position is told apart by these three. */
export interface PositionKey {
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
}
