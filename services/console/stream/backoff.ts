const FIRST_MS = 400;
const LONGEST_MS = 8_000;

/** How long to wait before the next attempt, `failures` after the last success; spread, so that a fleet of pages does not return at once. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return full / 2 + (random() * full) / 2;
}
