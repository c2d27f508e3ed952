import type { OpenCandle } from './minute-candles.ts';
import type { SeriesStats } from './series-stats.ts';

/** Plays a dataset. Speed in market seconds a second; 0: as fast as possible. */
export interface ReplayKind {
  readonly kind: 'replay';
  readonly dataset: string;
  readonly speed: number;
}

/** Makes prices up from a seed. */
export interface SimulationKind {
  readonly kind: 'simulation';
  /** Decimal text of a 64-bit integer: JSON has no such numbers. */
  readonly seed: string;
  readonly startPrice: string;
  readonly intervalMs: number;
  /** Market seconds a second, above 0. */
  readonly speed: number;
  readonly pumpEvery: number;
  readonly crashEvery: number;
  readonly historyCandles: number;
}

/** Follows an exchange. */
export interface ExchangeKind {
  readonly kind: 'exchange';
  readonly exchange: string;
  readonly exchangeSymbol: string;
}

export type SourceKind = ReplayKind | SimulationKind | ExchangeKind;

export type SourceStateName = 'RUNNING' | 'COMPLETED' | 'STOPPED' | 'FAILED';

/** How far a source has come. Plain data, stored with the events that it covers. */
export interface SourcePosition {
  /** Sequence of the last event; of the symbol's last event before the source's first. */
  readonly sequence: number;
  /** Events that the feed has given. */
  readonly index: number;
  /** Of a simulation: open of candle 0. */
  readonly startMs?: number;
  readonly lastOpenMs?: number;
  readonly lastClose?: string;
  /** Of trades: the candle that has not closed yet. */
  readonly openCandle?: OpenCandle;
}

/** What a source has brought. */
export interface SourceCounts extends SeriesStats {
  /** Market time of the last event. */
  readonly lastTimeMs: number | undefined;
  readonly lastPrice: string;
  /** Wall time at which it came in. */
  readonly lastArrivalMs: number | undefined;
  /** Between events, in market time, for freshness. */
  readonly intervalMs: number;
  readonly progressPercent: number;
}

/** A source as stored. */
export interface Source {
  readonly id: string;
  readonly accountId: string;
  readonly symbol: string;
  readonly kind: SourceKind;
  readonly state: SourceStateName;
  readonly reason: string;
  readonly createMs: number;
  readonly position: SourcePosition;
  readonly counts: SourceCounts;
  readonly stopRequested: boolean;
  readonly ownerReplica: string | undefined;
  readonly ownerUrl: string | undefined;
  readonly leaseEpoch: number;
  /** Whether the owner's lease lasts, by the database's clock. */
  readonly leased: boolean;
}

/** Market seconds a second. An exchange's are as long as ours. */
export function speedOf(kind: SourceKind): number {
  return kind.kind === 'exchange' ? 1 : kind.speed;
}

/** Whether a repetition from a stored position gives the same events again. */
export function isRepeatable(kind: SourceKind): boolean {
  return kind.kind !== 'exchange';
}

export const NO_COUNTS: SourceCounts = {
  events: 0,
  gaps: 0,
  duplicates: 0,
  outOfOrder: 0,
  malformed: 0,
  recentFaults: [],
  lastTimeMs: undefined,
  lastPrice: '',
  lastArrivalMs: undefined,
  intervalMs: 60_000,
  progressPercent: 0,
};
