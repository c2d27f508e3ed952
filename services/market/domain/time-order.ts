/** How many following rows must contradict one before it is taken for the odd one. */
const WITNESSES = 3;

/**
 * Which rows of a stored series stand where their time says. A row earlier than one before it is out of order; but a row
 * that is later than each of the three after it is itself the odd one, if those go on from where the series stood: one wild
 * timestamp must not make everything after it look late, and late rows must not make a good one look wild. Equal times are
 * in order.
 */
export function inOrderOfTime(timesMs: readonly number[]): boolean[] {
  let latest = Number.NEGATIVE_INFINITY;
  return timesMs.map((timeMs, at) => {
    if (timeMs < latest) return false;
    if (at + WITNESSES < timesMs.length) {
      let witnesses = 0;
      for (; witnesses < WITNESSES; witnesses += 1) {
        const next = timesMs[at + witnesses + 1]!;
        if (next >= timeMs || next < latest) break;
      }
      if (witnesses === WITNESSES) return false;
    }
    latest = timeMs;
    return true;
  });
}

/** The most frequent step above 0 between neighbours, the smallest of equally frequent ones; undefined without any. */
export function usualStepMs(timesMs: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  let usual: number | undefined;
  let most = 0;
  for (let at = 1; at < timesMs.length; at += 1) {
    const stepMs = timesMs[at]! - timesMs[at - 1]!;
    if (stepMs <= 0) continue;
    const count = (counts.get(stepMs) ?? 0) + 1;
    counts.set(stepMs, count);
    if (count > most || (count === most && stepMs < (usual ?? stepMs))) {
      usual = stepMs;
      most = count;
    }
  }
  return usual;
}
