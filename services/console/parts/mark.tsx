import type { ReactNode } from 'react';

/** What a state means at a glance; the word says it too, colour alone says nothing. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'idle';

/** A state as a word with a coloured dot. */
export function Mark({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return <span className={`mark ${tone}`}>{children}</span>;
}
