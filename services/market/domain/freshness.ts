/** Thresholds of freshness, before an interval and a speed are known. */
export interface FreshnessLimits {
  readonly staleIntervals: number;
  readonly staleMsMin: number;
  readonly blindIntervals: number;
  readonly blindMsMin: number;
}

export const FRESHNESS_LIMITS: FreshnessLimits = {
  staleIntervals: 3,
  staleMsMin: 5_000,
  blindIntervals: 10,
  blindMsMin: 15_000,
};

/** How old a symbol's prices may be, in milliseconds of wall time since the last event came in. */
export interface Thresholds {
  readonly staleMs: number;
  readonly blindMs: number;
}

export type FreshnessName = 'FRESH' | 'STALE' | 'BLIND';

/**
 * Thresholds for events every `intervalMs` of market time at `speed` market seconds a second; a speed of 0 is as fast as
 * possible and leaves the minimums.
 */
export function thresholdsFor(limits: FreshnessLimits, intervalMs: number, speed: number): Thresholds {
  const wallMs = speed > 0 ? intervalMs / speed : 0;
  return {
    staleMs: Math.max(limits.staleMsMin, limits.staleIntervals * wallMs),
    blindMs: Math.max(limits.blindMsMin, limits.blindIntervals * wallMs),
  };
}

/** `ageMs` undefined: nothing has ever come in. */
export function freshnessAt(ageMs: number | undefined, thresholds: Thresholds): FreshnessName {
  if (ageMs === undefined || ageMs >= thresholds.blindMs) return 'BLIND';
  return ageMs >= thresholds.staleMs ? 'STALE' : 'FRESH';
}

/** Freshness of a symbol at a moment. */
export interface FreshnessNow {
  readonly freshness: FreshnessName;
  /** Market time of the newest event. */
  readonly lastTimeMs: number | undefined;
  /** Wall time since it came in. */
  readonly ageMs: number | undefined;
}
