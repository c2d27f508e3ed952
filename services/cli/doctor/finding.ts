export type Verdict = 'ok' | 'warning' | 'fault' | 'skipped';

/** What one step of a diagnosis says. */
export interface Finding {
  /** Short and constant, such as "token" or "postgres.reachable"; for executors with the name behind a colon. */
  readonly step: string;
  readonly verdict: Verdict;
  /** What was found, in a sentence. */
  readonly found: string;
  /** What it means; empty when all is well. */
  readonly meaning: string;
  /** The next command to type, or the next thing to do; empty when all is well. */
  readonly next: string;
  readonly tookMs: number;
}

type Words = Pick<Finding, 'found' | 'meaning' | 'next'>;

export function well(step: string, found: string, tookMs: number): Finding {
  return { step, verdict: 'ok', found, meaning: '', next: '', tookMs };
}

export function ill(step: string, verdict: 'warning' | 'fault', words: Words, tookMs: number): Finding {
  return { step, verdict, ...words, tookMs };
}

export function skipped(step: string, because: string): Finding {
  return { step, verdict: 'skipped', found: because, meaning: '', next: '', tookMs: 0 };
}

/** Healthy: nothing is a fault. Warnings are told and do no harm yet. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'fault');
}

/** Runs `step` and measures it. */
export async function timed<T>(step: () => Promise<T>): Promise<{ readonly value: T; readonly tookMs: number }> {
  const startMs = performance.now();
  const value = await step();
  return { value, tookMs: performance.now() - startMs };
}
