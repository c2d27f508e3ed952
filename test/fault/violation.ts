import type { HistoryRecord } from './history-record.ts';
import type { RecordedHistory } from './recorded-history.ts';

/** Numbers of the invariants as the design gives them; WATCH is the promise that a watcher misses and repeats nothing. */
export type InvariantName = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I12' | 'I13' | 'WATCH';

/** One breach, with the records that show it. */
export interface Violation {
  readonly invariant: InvariantName;
  /** One sentence. */
  readonly message: string;
  readonly evidence: readonly HistoryRecord[];
}

/** Looks through a whole history for breaches of one invariant. */
export type Invariant = (history: RecordedHistory) => Iterable<Violation>;
