/** How the agent stands with the platform. Times are wall-clock milliseconds since the epoch. */
export type LinkState =
  /** Trying to reach the platform; nothing is known yet. */
  | { readonly kind: 'connecting' }
  /** The platform has accepted this agent: commands flow. */
  | { readonly kind: 'ready'; readonly via: 'stream' | 'poll'; readonly streamEpoch: bigint }
  /** The last try failed; the next one comes by itself. */
  | { readonly kind: 'backing_off'; readonly reason: string; readonly untilMs: number }
  /** Another agent took over with the same credential: this one stays away for a while. */
  | { readonly kind: 'superseded'; readonly host: string; readonly journalId: string; readonly untilMs: number }
  /** The platform does not accept the credential. Tried again now and then: it may be enabled or rotated. */
  | { readonly kind: 'refused'; readonly reason: string; readonly untilMs: number }
  /** Ended; `error` says why when nobody asked for it. */
  | { readonly kind: 'stopped'; readonly error?: string };

/** Why a conversation with the platform ended. */
export type LinkEnd =
  /** This side ended it. */
  | { readonly kind: 'closed' }
  /** It broke, or could not be had. */
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'superseded'; readonly host: string; readonly journalId: string };
