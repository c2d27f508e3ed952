import type { Section } from './records.ts';
import type { EntryTerms } from './sizing.ts';

/** What an instance asks for, as it was handed over. `inputs` in proto JSON; `terms` with ENTER alone. */
export interface IntentBody {
  readonly id: string;
  readonly instanceId: string;
  readonly type: 'ENTER' | 'EXIT' | 'CANCEL_ENTRY' | 'SIGNAL' | 'SIGNAL_CANCELLED' | 'INPUT_BLIND' | 'INPUT_FRESH';
  readonly section: Section;
  readonly reason: string;
  readonly revision: number;
  readonly marketTimeMs: number;
  readonly price: string;
  readonly terms: EntryTerms;
  readonly inputs: readonly unknown[];
}
