import type { Executor } from '../domain/executor.ts';
import type { CredentialFacts } from '../domain/executor-book.ts';
import type { Refusal } from '../domain/refusal.ts';

/** An executor as the statements of `executor-statements.ts` give it: times in milliseconds. */
export interface ExecutorRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly labels: unknown;
  readonly create_time: number;
  readonly disable_time: number | null;
  readonly stream_epoch: number;
  readonly link: 'STREAM' | 'POLL' | null;
  readonly owner_replica: string | null;
  readonly owner_seen_time: number | null;
  readonly connect_time: number | null;
  readonly disconnect_time: number | null;
  readonly disconnect_reason: string | null;
  readonly journal_id: string | null;
  readonly host: string | null;
  readonly agent_version: string | null;
  readonly contract_digest: string | null;
  readonly kinds: readonly string[] | null;
  readonly in_flight_max: number | null;
  readonly takeovers: number;
  readonly takeover_time: number | null;
  readonly round_trip_ms: number | null;
  readonly clock_offset_ms: number | null;
  readonly online: boolean;
}

/** An executor with what stands beside it. */
export interface ExecutorViewRow extends ExecutorRow {
  readonly in_flight: number;
  readonly queued: number;
  readonly credentials: readonly CredentialFacts[];
  readonly refusal: Refusal | null;
}

/** The schema's constraints leave nothing to quarantine here. */
export function readExecutorRow(row: ExecutorRow): Executor {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    labels: labelsOf(row.labels),
    createMs: row.create_time,
    disableMs: row.disable_time,
    streamEpoch: row.stream_epoch,
    link: row.link,
    ownerReplica: row.owner_replica,
    ownerSeenMs: row.owner_seen_time,
    connectMs: row.connect_time,
    disconnectMs: row.disconnect_time,
    disconnectReason: row.disconnect_reason,
    journalId: row.journal_id,
    host: row.host,
    agentVersion: row.agent_version,
    contractDigest: row.contract_digest,
    kinds: row.kinds,
    inFlightMax: row.in_flight_max,
    takeovers: row.takeovers,
    takeoverMs: row.takeover_time,
    roundTripMs: row.round_trip_ms,
    clockOffsetMs: row.clock_offset_ms,
    online: row.online,
  };
}

/** The column holds any JSON; labels are an object of texts. */
function labelsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, label]) => [key, String(label)]));
}
