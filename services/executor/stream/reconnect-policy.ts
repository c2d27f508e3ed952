import { backoffMs } from '../../platform/backoff.ts';
import type { LinkEnd } from './link-state.ts';

/** First and longest pause between tries; the first is between 125 and 250 ms. */
const RETRY_BACKOFF = { firstMs: 250, maxMs: 15_000 } as const;
/** Longest pause while polling works: the stream is better and worth looking for. */
const PROBE_MS_MAX = 10_000;
/** Pause after a refused credential, and after another agent took over: two machines with one credential must not flap. */
const STAY_AWAY_MS = 30_000;

/** What the pause after a try depends on. */
export interface RetryFacts {
  /** Tries in a row that ended without a stream that lasted, this one included; 0 after one that lasted. */
  readonly failures: number;
  /** Addresses that are tried in turn: each is tried once before the pauses grow. */
  readonly urls: number;
  readonly polling: boolean;
}

/** How long to wait before the next stream, in milliseconds. */
export function retryDelayMs(end: LinkEnd, facts: RetryFacts, random: () => number = Math.random): number {
  if (end.kind === 'refused' || end.kind === 'superseded') return STAY_AWAY_MS * (1 + random());
  const round = Math.max(1, Math.ceil(facts.failures / Math.max(1, facts.urls)));
  const maxMs = facts.polling ? PROBE_MS_MAX : RETRY_BACKOFF.maxMs;
  return backoffMs(round, { firstMs: RETRY_BACKOFF.firstMs, maxMs }, random);
}
