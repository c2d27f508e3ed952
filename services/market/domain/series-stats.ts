/** What came in and what was left out. */
export interface SeriesStats {
  readonly events: number;
  /** Candles missing between neighbours. */
  readonly gaps: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly malformed: number;
  /** The newest faults in words, oldest first, at most 10. */
  readonly recentFaults: readonly string[];
}

const RECENT_FAULTS_MAX = 10;

/** Kinds of rows that are counted and left out. */
export type FaultKind = 'duplicates' | 'outOfOrder' | 'malformed';

/** Counts events, gaps and faults of one series. */
export class SeriesCounter {
  #events: number;
  #gaps: number;
  readonly #faults: Record<FaultKind, number>;
  readonly #recent: string[];

  constructor(from?: SeriesStats) {
    this.#events = from?.events ?? 0;
    this.#gaps = from?.gaps ?? 0;
    this.#faults = {
      duplicates: from?.duplicates ?? 0,
      outOfOrder: from?.outOfOrder ?? 0,
      malformed: from?.malformed ?? 0,
    };
    this.#recent = [...(from?.recentFaults ?? [])];
  }

  get stats(): SeriesStats {
    return { events: this.#events, gaps: this.#gaps, ...this.#faults, recentFaults: [...this.#recent] };
  }

  event(): void {
    this.#events += 1;
  }

  gap(missing: number): void {
    this.#gaps += missing;
  }

  fault(kind: FaultKind, text: string): void {
    this.#faults[kind] += 1;
    this.#recent.push(text);
    if (this.#recent.length > RECENT_FAULTS_MAX) this.#recent.shift();
  }
}
