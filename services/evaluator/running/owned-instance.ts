import type { CompiledStrategy } from '../domain/compiled-strategy.ts';
import type { InstanceData } from '../domain/instance.ts';
import type { Freshness, InstanceStatus, PinPolicy, StoredInstance } from '../domain/stored-instance.ts';
import type { Member } from '../domain/symbol-book.ts';
import type { Definition } from '../strategies/account-strategies.ts';

/** An instance that this replica owns and runs. */
export interface OwnedInstance extends Member {
  readonly id: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly epoch: number;
  pinPolicy: PinPolicy;
  strategyName: string;
  status: InstanceStatus;
  /** Whether it has ever been ACTIVE. */
  applied: boolean;
  wantedRevision: number;
  fault: string;
  freshness: Freshness;
  /** The revision that runs, as it goes along with intents. */
  definition: Definition;
  /** The sequence that is stored. */
  storedSequence: number;
  /** Outcomes that were taken in and are not yet stored as such. */
  readonly takenOutcomes: Set<string>;
  /** Ends the wait for asking again for an exit that failed. */
  cancelRetry: (() => void) | undefined;
}

/** A strategy that is ready to run. */
export interface ReadyStrategy {
  readonly revision: number;
  readonly strategy: CompiledStrategy;
  readonly definition: Definition;
}

/** Equal for instances whose conditions are equal. */
export function strategyKey(strategyId: string, revision: number): string {
  return `${strategyId}@${revision}`;
}

/** Joins a stored instance with the strategy that it runs. */
export function own(row: StoredInstance, ready: ReadyStrategy): OwnedInstance {
  const data: InstanceData = { ...row.data, revision: ready.revision };
  return {
    id: row.id,
    accountId: row.accountId,
    sessionId: row.sessionId,
    strategyId: row.strategyId,
    symbol: row.symbol,
    epoch: row.leaseEpoch,
    pinPolicy: row.pinPolicy,
    strategyName: ready.strategy.name,
    status: row.status,
    applied: row.runningRevision > 0,
    wantedRevision: row.wantedRevision,
    fault: row.fault,
    freshness: row.freshness,
    definition: ready.definition,
    storedSequence: row.evaluatedSequence,
    takenOutcomes: new Set(),
    cancelRetry: undefined,
    data,
    strategyKey: strategyKey(row.strategyId, ready.revision),
    strategy: ready.strategy,
    paused: row.paused,
    through: { sequence: row.evaluatedSequence, timeMs: row.evaluatedMs },
  };
}
