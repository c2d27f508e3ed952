import type { EvaluationRecord, InstanceData } from './instance.ts';

export const STATUSES = ['PENDING', 'ACTIVE', 'FAILED', 'CLOSING', 'INACTIVE'] as const;
export type InstanceStatus = (typeof STATUSES)[number];

export type PinPolicy = 'FOLLOW_LATEST' | 'PINNED';

/** Empty: not known yet. */
export type Freshness = '' | 'FRESH' | 'STALE' | 'BLIND';

/** An instance as it is stored. */
export interface StoredInstance {
  readonly id: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly strategyId: string;
  readonly strategyName: string;
  readonly symbol: string;
  readonly pinPolicy: PinPolicy;
  readonly status: InstanceStatus;
  readonly wantedRevision: number;
  /** 0 before it is applied. */
  readonly runningRevision: number;
  readonly fault: string;
  readonly paused: boolean;
  /** Of the owner whose lease runs; empty when there is none. */
  readonly replicaId: string;
  readonly leaseEpoch: number;
  readonly freshness: Freshness;
  readonly evaluatedSequence: number;
  /** Market time; -Infinity before the first event. */
  readonly evaluatedMs: number;
  readonly data: InstanceData;
}

/** One wanted instance, as the session service asks for it. */
export interface WantedInstance {
  readonly id: string;
  readonly strategyId: string;
  readonly revision: number;
  readonly symbol: string;
  readonly pinPolicy: PinPolicy;
}

/** An evaluation as it is stored and watched. */
export interface StoredEvaluation extends EvaluationRecord {
  readonly number: number;
  readonly instanceId: string;
  readonly sessionId: string;
  readonly strategyId: string;
  readonly strategyName: string;
  readonly symbol: string;
  readonly replicaId: string;
  readonly leaseEpoch: number;
  /** When it was written, by the database's clock. */
  readonly recordMs: number;
}

/** What a replica has applied of an account's strategies. */
export interface CacheState {
  readonly replicaId: string;
  readonly appliedRevision: number;
  readonly digest: string;
  readonly timeMs: number;
}

/** True while somebody has to own it. */
export function isLive(status: InstanceStatus): boolean {
  return status === 'PENDING' || status === 'ACTIVE' || status === 'CLOSING';
}
