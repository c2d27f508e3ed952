/** Names that differ by more than this share of their length are no suggestion but a guess. */
const DISTANCE_SHARE_MAX = 0.4;
/** Longer input is not compared: nobody mistypes that much, and the cost grows with the product of the lengths. */
const COMPARED_CHARS_MAX = 64;

/**
 * The known name that was most likely meant, or undefined when none is near. Case, dashes and underscores count for nothing, so
 * that `request_ID` finds `requestId`, and a name that contains the other whole is near.
 */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const wanted = folded(given);
  if (wanted === '' || wanted.length > COMPARED_CHARS_MAX) return undefined;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const candidate = folded(name);
    const longer = Math.max(candidate.length, wanted.length);
    const contained =
      wanted.length >= 3 && (candidate.endsWith(wanted) || (candidate.length >= 3 && wanted.endsWith(candidate)));
    const distance = contained ? 1 : editDistance(wanted, candidate);
    if (!contained && distance > Math.max(1, Math.floor(longer * DISTANCE_SHARE_MAX))) continue;
    if (best === undefined || distance < best.distance) best = { name, distance };
  }
  return best?.name;
}

function folded(name: string): string {
  return name.replace(/[-_\s]/g, '').toLowerCase();
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
