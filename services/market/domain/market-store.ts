import type { PlacedCandle, PublishedEvent } from './published-event.ts';
import type { SeriesStats } from './series-stats.ts';
import type { Source, SourceCounts, SourceKind, SourcePosition, SourceStateName } from './source.ts';

/** A series as stored, without its content. */
export interface Dataset {
  readonly name: string;
  readonly form: 'candles' | 'trades';
  readonly rows: number;
  readonly intervalMs: number | undefined;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  readonly lastPrice: string;
  readonly stats: SeriesStats;
  readonly contentDigest: string;
}

/** The account's series. */
export interface DatasetBook {
  /** Stores it unless the name is taken; returns what stands under the name now. `content` is gzipped CSV. */
  add(accountId: string, dataset: Dataset, content: Uint8Array): Promise<Dataset>;
  list(accountId: string): Promise<Dataset[]>;
  find(accountId: string, name: string): Promise<Dataset | undefined>;
  /** Gzipped CSV; undefined when there is no such dataset. */
  content(accountId: string, name: string): Promise<Uint8Array | undefined>;
}

/** Who runs sources. */
export interface Owner {
  readonly replicaId: string;
  /** Where other replicas reach it. */
  readonly url: string;
  readonly leaseMs: number;
}

/** What is kept of a symbol. */
export interface KeptHistory {
  readonly headSequence: number;
  /** In order, at most `KEPT_MAX`. */
  readonly events: readonly PublishedEvent[];
  /** Candles of trades, in order, at most `KEPT_MAX`. */
  readonly candles: readonly PlacedCandle[];
}

/** What a source has done since it was stored last. */
export interface SourceProgress {
  readonly source: Source;
  readonly events: readonly PublishedEvent[];
  readonly position: SourcePosition;
  readonly counts: SourceCounts;
  /** Beside RUNNING: the source has ended. */
  readonly state: SourceStateName;
  readonly reason: string;
}

/** Sources and what they have brought. */
export interface SourceBook {
  /** Stores it as RUNNING under a lease of `owner`; undefined when another source runs for the symbol. */
  start(
    source: { id: string; accountId: string; symbol: string; kind: SourceKind },
    owner: Owner,
  ): Promise<Source | undefined>;
  find(accountId: string, idOrSymbol: string): Promise<Source | undefined>;
  running(accountId: string, symbol: string): Promise<Source | undefined>;
  /** The newest source of the symbol, running or not. */
  newest(accountId: string, symbol: string): Promise<Source | undefined>;
  list(accountId: string, filter: { symbol: string; runningOnly: boolean; sourcesMax: number }): Promise<Source[]>;
  /** Asks its owner to stop it. */
  requestStop(id: string): Promise<Source | undefined>;
  /** Ends a source whose owner is gone; false while its lease lasts. */
  stopAbandoned(id: string): Promise<boolean>;
  /** Prolongs the leases; gives the sources that are still this replica's. */
  renew(ids: readonly string[], owner: Owner): Promise<Source[]>;
  /** Takes over running sources that have no living owner, or were this replica's before it was started anew. */
  claim(held: readonly string[], owner: Owner): Promise<Source[]>;
  /** Lets go of sources, so that another replica takes them at once. */
  release(ids: readonly string[], owner: Owner): Promise<void>;
  /** Stores events with the position after them; false when the source is no longer this replica's, and nothing was stored. */
  advance(progress: SourceProgress, owner: Owner): Promise<boolean>;
  kept(accountId: string, symbol: string): Promise<KeptHistory>;
  /** Removes what is older than `KEPT_MAX` before `headSequence`. */
  trim(accountId: string, symbol: string, headSequence: number): Promise<void>;
}
