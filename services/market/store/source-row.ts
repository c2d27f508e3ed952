import type { Source, SourceCounts, SourceKind, SourcePosition, SourceStateName } from '../domain/source.ts';
import { NO_COUNTS } from '../domain/source.ts';

/** A source as its statements give it. */
export interface SourceRow {
  readonly id: string;
  readonly account_id: string;
  readonly symbol: string;
  readonly kind: SourceKind;
  readonly state: SourceStateName;
  readonly reason: string;
  readonly create_time: number;
  readonly position: SourcePosition;
  readonly stats: Partial<SourceCounts>;
  readonly stop_requested: boolean;
  readonly owner_replica: string | null;
  readonly owner_url: string | null;
  readonly lease_epoch: number;
  readonly leased: boolean;
}

export function sourceOf(row: SourceRow): Source {
  return {
    id: row.id,
    accountId: row.account_id,
    symbol: row.symbol,
    kind: row.kind,
    state: row.state,
    reason: row.reason,
    createMs: row.create_time,
    position: row.position,
    counts: { ...NO_COUNTS, ...row.stats },
    stopRequested: row.stop_requested,
    ownerReplica: row.owner_replica ?? undefined,
    ownerUrl: row.owner_url ?? undefined,
    leaseEpoch: row.lease_epoch,
    leased: row.leased,
  };
}
