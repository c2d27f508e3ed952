/** The token lives as long as the browser tab, and no other tab sees it. */
const KEY = 'strategos.token';

let present = sessionStorage.getItem(KEY) ?? '';
const listeners = new Set<() => void>();

export function readToken(): string {
  return present;
}

/** An empty token signs out. */
export function keepToken(token: string): void {
  present = token;
  if (token === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
  for (const listener of listeners) listener();
}

export function onToken(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
