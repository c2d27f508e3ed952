/**
 * An ordering key as its segments: `[]` is the executor, `['s']` a session, `['s', 'strategy', 'symbol']` an instance.
 * Segments stay percent-encoded: they are compared, never shown.
 */
export type KeyPath = readonly string[];

/**
 * Segments of a key's path; undefined for the empty key, which orders nothing. A path that does not begin with "/" is read
 * as the executor's own key: the widest one is the safe reading of what cannot be read.
 */
export function parseOrderingKey(path: string): KeyPath | undefined {
  if (path === '') return undefined;
  if (!path.startsWith('/') || path === '/') return [];
  return path.slice(1).split('/');
}

/** Whether `outer` is `inner` or lies around it. */
export function containsKey(outer: KeyPath, inner: KeyPath): boolean {
  return outer.length <= inner.length && outer.every((segment, at) => segment === inner[at]);
}

/** Whether commands with these keys must not run at the same time. */
export function relatedKeys(a: KeyPath, b: KeyPath): boolean {
  return containsKey(a, b) || containsKey(b, a);
}
