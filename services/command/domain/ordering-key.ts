import { type Kind, policyOf } from './kind.ts';

/** The parts of a kind's parameters that name its key; an empty string names nothing. */
export interface KeyParts {
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
}

/** Key of the whole executor: contains every other key. */
export const EXECUTOR_KEY = '/';

/**
 * Path of the ordering key: "" for kinds without one, "/" for the executor, then session, strategy and symbol as far as the
 * parts are set and the kind reaches. Parts are percent-encoded, so a name cannot forge a level.
 */
export function orderingKey(kind: Kind, parts: KeyParts): string {
  const { key } = policyOf(kind);
  switch (key) {
    case 'none':
      return '';
    case 'executor':
      return EXECUTOR_KEY;
    case 'session':
      return path([parts.sessionId]);
    case 'instance':
      return path([parts.sessionId, parts.strategyId, parts.symbol]);
  }
}

function path(parts: readonly string[]): string {
  let key = '';
  for (const part of parts) {
    if (part === '') break;
    key += `/${PLAIN.test(part) ? part : encodeURIComponent(part)}`;
  }
  return key === '' ? EXECUTOR_KEY : key;
}

/** What is encoded as itself: most names, and finding that takes a fraction of encoding them. */
const PLAIN = /^[\w.~-]*$/;

/** True when `outer` equals `inner` or contains it. Keys that are empty contain nothing and lie in nothing. */
export function contains(outer: string, inner: string): boolean {
  if (outer === '' || inner === '') return false;
  return outer === EXECUTOR_KEY || outer === inner || inner.startsWith(`${outer}/`);
}

/** True when commands with these keys must not run side by side. */
export function related(a: string, b: string): boolean {
  return contains(a, b) || contains(b, a);
}
