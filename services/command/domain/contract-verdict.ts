import type { ContractRules } from './contract.ts';

export interface ContractJudgement {
  readonly verdict: 'UNSPECIFIED' | 'CURRENT' | 'SUPPORTED' | 'ENDED' | 'UNKNOWN';
  /** End of the support of a release; null for everything else. */
  readonly untilMs: number | null;
}

const DAY_MS = 86_400_000;

/** What the platform makes of a wire format, by its digest; '' is one that nobody has named. The last day counts whole, UTC. */
export function judgeContract(
  digest: string,
  rules: Pick<ContractRules, 'ownDigest' | 'supported'>,
  nowMs: number,
): ContractJudgement {
  if (digest === '') return { verdict: 'UNSPECIFIED', untilMs: null };
  if (digest === rules.ownDigest) return { verdict: 'CURRENT', untilMs: null };
  // Two releases may have one wire format: the one that is supported longest counts.
  const ends = rules.supported
    .filter((release) => release.digest === digest)
    .map(({ supportedUntil }) => Date.parse(`${supportedUntil}T00:00:00Z`) + DAY_MS);
  if (ends.length === 0) return { verdict: 'UNKNOWN', untilMs: null };
  const untilMs = Math.max(...ends);
  return { verdict: nowMs < untilMs ? 'SUPPORTED' : 'ENDED', untilMs };
}
