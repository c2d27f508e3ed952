import { useSyncExternalStore } from 'react';

/** What the page says about its connection to the gateway. */
export type LinkState =
  | { readonly kind: 'live' }
  /** At least one stream is down since then and is being opened again. */
  | { readonly kind: 'lost'; readonly sinceMs: number }
  /** All streams are back and have resumed where they were; said for a moment. */
  | { readonly kind: 'resumed'; readonly awayMs: number };

const RESUMED_SHOWN_MS = 6_000;
const LIVE: LinkState = { kind: 'live' };

const down = new Map<symbol, number>();
const listeners = new Set<() => void>();
const onResumed = new Set<() => void>();
let state: LinkState = LIVE;
let timer: ReturnType<typeof setTimeout> | undefined;

function become(next: LinkState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** A stream tells that it is down. */
export function linkLost(stream: symbol): void {
  if (!down.has(stream)) down.set(stream, Date.now());
  clearTimeout(timer);
  if (state.kind !== 'lost') become({ kind: 'lost', sinceMs: Date.now() });
}

/** A stream tells that it is up again, or that nobody wants it any more. */
export function linkFound(stream: symbol, how: 'resumed' | 'given up'): void {
  if (!down.delete(stream) || down.size > 0 || state.kind !== 'lost') return;
  if (how === 'given up') {
    become(LIVE);
    return;
  }
  become({ kind: 'resumed', awayMs: Date.now() - state.sinceMs });
  timer = setTimeout(() => become(LIVE), RESUMED_SHOWN_MS);
  for (const listener of onResumed) listener();
}

/** Runs when everything is back: what was asked once, rather than watched, may be old. */
export function afterResumption(listener: () => void): () => void {
  onResumed.add(listener);
  return () => onResumed.delete(listener);
}

export function useLinkState(): LinkState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
