import type { IndicatorVerdicts } from './judge-definition.ts';

/** What this service asks of the others; `upstream/` answers with their generated clients. */

/** On whose behalf another service is asked. */
export interface Asker {
  readonly accountId: string;
  /** Follows the call through every service's log; empty when there is none. */
  readonly requestId: string;
}

export interface IndicatorCatalogue {
  /** What is known of each name. @throws StatusError UNAVAILABLE when nobody can be asked. */
  verdicts(asker: Asker, indicatorIds: readonly string[]): Promise<IndicatorVerdicts>;
}

export interface StrategyUses {
  /** Ids of the sessions that use the strategy and have not ended. @throws StatusError UNAVAILABLE when nobody can be asked. */
  sessionIds(asker: Asker, strategyId: string): Promise<readonly string[]>;
}

/** What one evaluator replica has applied. */
export interface AppliedState {
  readonly replicaId: string;
  readonly revision: number;
  readonly digest: string;
}

/** A strategy as it runs on a symbol in a session. */
export interface RunningInstance {
  readonly sessionId: string;
  readonly strategyId: string;
  readonly symbol: string;
  readonly replicaId: string;
  readonly revision: number;
  readonly pinned: boolean;
}

/** What runs, as far as evaluators have answered. */
export interface FleetView {
  readonly applied: readonly AppliedState[];
  readonly instances: readonly RunningInstance[];
  /** Who did not answer, a sentence each. */
  readonly unreachable: readonly string[];
}

export interface EvaluatorFleet {
  /** `strategyId` undefined: of all strategies. */
  view(asker: Asker, strategyId: string | undefined): Promise<FleetView>;
}
