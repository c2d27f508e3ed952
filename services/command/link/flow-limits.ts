/** A write that the database refuses is repeated like this; then what it was to say is given up. */
export const WRITE_BACKOFF = { firstMs: 500, maxMs: 10_000 } as const;
export const WRITE_TRIES_MAX = 6;
/** The kill switch waits for nothing, not even for a credit: so many may be in flight beyond the agent's window. */
export const OVERTAKING_MAX = 10;
