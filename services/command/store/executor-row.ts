import type { Executor } from '../domain/executor.ts';
import type { CredentialFacts } from '../domain/executor-book.ts';
import type { CommandRow } from './command-row.ts';

/** An executor from a row of `executor-statements.ts`. The schema's constraints leave nothing to quarantine here. */
export function readExecutorRow(row: CommandRow): Executor {
  return {
    id: row['id'] as string,
    accountId: row['account_id'] as string,
    name: row['name'] as string,
    labels: labelsOf(row['labels']),
    createMs: row['create_time'] as number,
    disableMs: row['disable_time'] as number | null,
    streamEpoch: row['stream_epoch'] as number,
    link: row['link'] as Executor['link'],
    ownerReplica: row['owner_replica'] as string | null,
    ownerSeenMs: row['owner_seen_time'] as number | null,
    connectMs: row['connect_time'] as number | null,
    disconnectMs: row['disconnect_time'] as number | null,
    disconnectReason: row['disconnect_reason'] as string | null,
    journalId: row['journal_id'] as string | null,
    host: row['host'] as string | null,
    agentVersion: row['agent_version'] as string | null,
    contractDigest: row['contract_digest'] as string | null,
    kinds: row['kinds'] as string[] | null,
    inFlightMax: row['in_flight_max'] as number | null,
    takeovers: row['takeovers'] as number,
    takeoverMs: row['takeover_time'] as number | null,
    roundTripMs: row['round_trip_ms'] as number | null,
    online: row['online'] === true,
  };
}

export function readCredentialFacts(value: unknown): CredentialFacts[] {
  return value as CredentialFacts[];
}

function labelsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, label]) => [key, String(label)]));
}
