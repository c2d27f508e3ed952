import type { MarketEvent } from '../../market/index.ts';

/** A series to run on, and what it held. */
export interface LoadedData {
  readonly events: readonly MarketEvent[];
  readonly counts: DataCounts;
}

export interface DataCounts {
  readonly rows: bigint;
  readonly events: bigint;
  readonly duplicates: bigint;
  readonly outOfOrder: bigint;
  readonly malformed: bigint;
  readonly gaps: bigint;
}
