/** An executor as the platform knows it: no wire types, no rows, times in milliseconds of the platform's clock. */
export interface Executor {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createMs: number;
  readonly disableMs: number | null;
  /** 0 before the first stream. */
  readonly streamEpoch: number;
  readonly link: 'STREAM' | 'POLL' | null;
  readonly ownerReplica: string | null;
  /** Last heartbeat of the owning replica; null when it is not known any more. */
  readonly ownerSeenMs: number | null;
  readonly connectMs: number | null;
  /** Null while connected, and after the owning replica died. */
  readonly disconnectMs: number | null;
  readonly disconnectReason: string | null;
  readonly journalId: string | null;
  readonly host: string | null;
  readonly agentVersion: string | null;
  readonly contractDigest: string | null;
  /** Null before the first Hello. */
  readonly kinds: readonly string[] | null;
  readonly inFlightMax: number | null;
  readonly takeovers: number;
  readonly takeoverMs: number | null;
  readonly roundTripMs: number | null;
  /** The agent's clock minus the platform's at the last Hello. */
  readonly clockOffsetMs: number | null;
  /** Connected to a replica whose heartbeat was fresh when this was read. */
  readonly online: boolean;
}

export type ExecutorState = 'NEVER_CONNECTED' | 'ONLINE' | 'OFFLINE' | 'DISABLED';

/** What can be said of an executor in one word; disabled outweighs everything else. */
export function executorState(executor: Executor): ExecutorState {
  if (executor.disableMs !== null) return 'DISABLED';
  if (executor.connectMs === null) return 'NEVER_CONNECTED';
  return executor.online ? 'ONLINE' : 'OFFLINE';
}

/** Since when an offline executor has been away: its stream's end, or the last word of the replica that died with it. */
export function offlineSinceMs(executor: Executor): number | null {
  return executor.disconnectMs ?? executor.ownerSeenMs ?? executor.connectMs;
}

/** When something was last known to be alive at the executor's end; null before its first stream. */
export function lastSeenMs(executor: Executor): number | null {
  return executor.connectMs === null ? null : offlineSinceMs(executor);
}

/** 1 to 63 characters, as the schema demands. */
export const EXECUTOR_NAME_PATTERN = /^[a-z0-9._-]{1,63}$/;

const ID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for what can be the id of a command or an executor; names of executors never look like that. */
export function isId(text: string): boolean {
  return ID_PATTERN.test(text);
}
