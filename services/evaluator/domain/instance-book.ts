import type { CacheState, StoredEvaluation, StoredInstance, WantedInstance } from './stored-instance.ts';

/** What the handlers need of the instances of all accounts, wherever they are owned. */
export interface InstanceBook {
  /** Makes instances wanted; gives the ids that belong to this account, session, strategy and symbol. */
  want(
    accountId: string,
    sessionId: string,
    paused: boolean,
    wanted: readonly WantedInstance[],
  ): Promise<ReadonlySet<string>>;
  end(accountId: string, ids: readonly string[]): Promise<void>;
  close(accountId: string, ids: readonly string[]): Promise<void>;
  pause(accountId: string, ids: readonly string[], paused: boolean): Promise<void>;
  /** By id; what the account does not have is missing. */
  getMany(accountId: string, ids: readonly string[]): Promise<ReadonlyMap<string, StoredInstance>>;
  list(accountId: string, filter: InstanceFilter, itemsMax: number): Promise<readonly StoredInstance[]>;
  find(accountId: string, place: InstancePlace): Promise<StoredInstance | undefined>;
  /** Where the instance's live owner can be asked; undefined when there is none. */
  ownerOf(id: string): Promise<{ readonly ownerId: string; readonly address: string } | undefined>;
  listCaches(accountId: string): Promise<readonly CacheState[]>;
  /** Keeps each once; durable when it resolves. */
  storeOutcomes(accountId: string, outcomes: readonly StoredOutcome[]): Promise<void>;
}

export interface InstanceFilter {
  /** Empty matches all. */
  readonly sessionId: string;
  readonly strategyId: string;
  readonly ended: boolean;
}

export interface InstancePlace {
  readonly sessionId: string;
  /** Name or id. */
  readonly strategy: string;
  readonly symbol: string;
}

export interface StoredOutcome {
  readonly id: string;
  readonly instanceId: string;
  readonly body: unknown;
}

/** Evaluations in commit order. */
export interface EvaluationReader {
  /** Numbers of the newest evaluation and of the newest that was removed. */
  range(accountId: string): Promise<{ readonly newest: number; readonly removed: number }>;
  after(accountId: string, number: number, filter: EvaluationFilter, itemsMax: number): Promise<EvaluationPage>;
  /** Newest first. */
  recent(accountId: string, instanceId: string, itemsMax: number): Promise<readonly StoredEvaluation[]>;
}

export interface EvaluationFilter {
  /** Empty matches all. */
  readonly sessionId: string;
  readonly instanceId: string;
}

export interface EvaluationPage {
  readonly evaluations: readonly StoredEvaluation[];
  /** Everything up to here was looked through. */
  readonly throughNumber: number;
  readonly removedNumber: number;
  readonly more: boolean;
}
