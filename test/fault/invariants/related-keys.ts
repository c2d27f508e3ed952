/** Ordering keys as the wire format describes them: paths that nest, "" for no key. Said anew here, not taken from the product. */

/** True when `outer` is `inner` or lies around it. */
export function keyContains(outer: string, inner: string): boolean {
  if (outer === '' || inner === '') return false;
  return outer === '/' || outer === inner || inner.startsWith(`${outer}/`);
}

/** The keys around `key`, widest first, without itself: "/" and "/s" for "/s/x". */
export function outerKeys(key: string): string[] {
  if (key === '' || key === '/') return [];
  const parts = key.slice(1).split('/');
  return parts.map((_, at) => `/${parts.slice(0, at).join('/')}`);
}

const ENTRIES = ['start_strategy', 'start_session', 'open_position', 'resume'];

/** What a stop makes pointless, by its kind. */
const SUPERSEDED: ReadonlyMap<string, readonly string[]> = new Map([
  ['stop_strategy', ['start_strategy']],
  ['stop_session', ['start_strategy', 'start_session']],
  ['stop_all', ENTRIES],
]);

export function supersedes(stopKind: string, kind: string): boolean {
  return SUPERSEDED.get(stopKind)?.includes(kind) ?? false;
}

export function overtakesAll(kind: string): boolean {
  return kind === 'stop_all';
}
