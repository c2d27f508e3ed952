import { type InstanceData, newInstance } from '../domain/instance.ts';
import { type Freshness, STATUSES, type StoredInstance } from '../domain/stored-instance.ts';

/** An instance as `run` gives it. */
export interface InstanceRow {
  readonly id: string;
  readonly account_id: string;
  readonly session_id: string;
  readonly strategy_id: string;
  readonly strategy_name: string;
  readonly symbol: string;
  readonly pin_policy: string;
  readonly status: string;
  readonly wanted_revision: number;
  readonly running_revision: number;
  readonly fault: string;
  readonly paused: boolean;
  readonly lease_epoch: number;
  readonly freshness: string;
  readonly evaluated_sequence: number;
  readonly evaluated_ms: number;
  readonly data: unknown;
  readonly replica_id: string;
}

const STATES = new Set<unknown>([
  'MONITORING',
  'SIGNAL_DETECTED',
  'SIGNAL_CANCELLED',
  'ENTRY_EVALUATION',
  'POSITION_ACTIVE',
  'EXITED',
  'EMERGENCY_EXIT',
]);

/** What this release cannot read is FAILED with the reason, and stands in nobody's way. */
export function readInstanceRow(row: InstanceRow): StoredInstance {
  const status = STATUSES.find((name) => name === row.status);
  const readable = isInstanceData(row.data, row.id);
  const fault = readable && status !== undefined ? row.fault : 'its stored state cannot be read by this release';
  return {
    id: row.id,
    accountId: row.account_id,
    sessionId: row.session_id,
    strategyId: row.strategy_id,
    strategyName: row.strategy_name,
    symbol: row.symbol,
    pinPolicy: row.pin_policy === 'PINNED' ? 'PINNED' : 'FOLLOW_LATEST',
    status: readable && status !== undefined ? status : 'FAILED',
    wantedRevision: row.wanted_revision,
    runningRevision: row.running_revision,
    fault,
    paused: row.paused,
    replicaId: row.replica_id,
    leaseEpoch: row.lease_epoch,
    freshness: freshnessOf(row.freshness),
    evaluatedSequence: row.evaluated_sequence,
    evaluatedMs: row.evaluated_ms,
    data: isInstanceData(row.data, row.id) ? row.data : newInstance(row.id, row.running_revision),
  };
}

function freshnessOf(text: string): Freshness {
  return text === 'FRESH' || text === 'STALE' || text === 'BLIND' ? text : '';
}

function isInstanceData(data: unknown, id: string): data is InstanceData {
  return (
    typeof data === 'object' &&
    data !== null &&
    'instanceId' in data &&
    data.instanceId === id &&
    'state' in data &&
    STATES.has(data.state) &&
    'stateMs' in data &&
    typeof data.stateMs === 'number' &&
    'revision' in data &&
    typeof data.revision === 'number' &&
    'intents' in data &&
    typeof data.intents === 'number'
  );
}
