/** Bounds of an exponential backoff with full jitter. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Delay in milliseconds before try number `attempt` (from 1 for the first repetition): uniform between half and all of
 * `firstMs * 2^(attempt-1)`, at most `maxMs`. Half is kept so that a fleet spreads out and nobody hammers.
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: () => number = Math.random): number {
  const ceilingMs = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceilingMs * (0.5 + 0.5 * random()));
}
