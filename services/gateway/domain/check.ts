export type Verdict = 'ok' | 'warning' | 'fault' | 'skipped';

/** One thing that was looked at: what was found, what it means, what to do next. */
export interface Check {
  /** Short and constant, such as "postgres.reachable". */
  readonly name: string;
  readonly verdict: Verdict;
  readonly found: string;
  readonly meaning: string;
  readonly remedy: string;
  readonly tookMs: number;
}

type Words = Pick<Check, 'found' | 'meaning' | 'remedy'>;

export function sound(name: string, found: string, tookMs: number): Check {
  return { name, verdict: 'ok', found, meaning: '', remedy: '', tookMs };
}

export function unsound(name: string, verdict: 'warning' | 'fault', words: Words, tookMs: number): Check {
  return { name, verdict, ...words, tookMs };
}

/** What was not looked at, because of another fault. */
export function skipped(name: string, because: string): Check {
  return { name, verdict: 'skipped', found: because, meaning: '', remedy: '', tookMs: 0 };
}
