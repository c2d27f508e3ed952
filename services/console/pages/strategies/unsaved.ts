import { useEffect } from 'react';
import { onToken } from '../../access/token.ts';
import type { Draft } from './draft.ts';

/** What was typed, and what is wrong with it. */
export interface Unread {
  readonly text: string;
  readonly fault: string;
}

/** A draft that is not saved, with the stored revision that it began from. */
export interface Unsaved {
  readonly base: { readonly revision: bigint; readonly text: string; readonly draft: Draft };
  readonly draft: Draft;
  /** Typed in its place, and not to be read. */
  readonly unread: Unread | undefined;
}

/** In place of an id, here and in the address, for one that was never stored. */
export const NEW_STRATEGY = 'new';

/** By the id of the strategy, for as long as the page is loaded: whoever looks elsewhere and comes back finds it. */
const kept = new Map<string, Unsaved>();
onToken(() => kept.clear());

export function unsavedOf(id: string): Unsaved | undefined {
  return kept.get(id);
}

export function forgetUnsaved(id: string): void {
  kept.delete(id);
}

// The browser asks before the page is closed or loaded again over a draft, wherever in the console one is by then.
globalThis.addEventListener('beforeunload', (event) => {
  if (kept.size > 0) event.preventDefault();
});

/** Keeps a draft while it differs from what is stored. */
export function useUnsaved(id: string, { base, draft, unread }: Unsaved, changed: boolean): void {
  useEffect(() => {
    if (changed) kept.set(id, { base, draft, unread });
    else kept.delete(id);
  }, [id, base, draft, unread, changed]);
}
