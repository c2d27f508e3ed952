import type { Definition } from './definition.ts';

/** What handlers ask of the stored strategies; `store/` answers with Postgres. Nothing leaves its account. */

export type ChangeType = 'CREATED' | 'UPDATED' | 'DELETED';

/** One immutable revision: a strategy as it was made by one change of the account. */
export interface Revision {
  readonly accountId: string;
  /** Without gaps within the account, in order of commit. */
  readonly number: number;
  readonly type: ChangeType;
  readonly strategyId: string;
  /** Of a deleted one, the last; undefined when this release cannot read what is stored. */
  readonly definition: Definition | undefined;
  /** As stored, in the JSON form. */
  readonly json: string;
  readonly author: string;
  /** The account's digest as of this revision, in hex. */
  readonly digest: string;
  /** When the strategy was created, and when this revision was made. */
  readonly createMs: number;
  readonly timeMs: number;
}

/** Where an account stands. */
export interface AccountState {
  /** 0 before the first change. */
  readonly revision: number;
  /** In hex. */
  readonly digest: string;
}

/** The newest revision of a strategy, with its name, which is known even when the definition cannot be read. */
export interface NamedRevision {
  readonly name: string;
  readonly revision: Revision;
}

export interface ChangePage extends AccountState {
  /** In order, right after the asked revision. */
  readonly changes: readonly Revision[];
}

export interface NewStrategy {
  readonly accountId: string;
  readonly id: string;
  readonly definition: Definition;
  readonly author: string;
  /** Undefined: the call cannot be repeated safely. */
  readonly requestId: string | undefined;
}

export interface StrategyUpdate {
  readonly accountId: string;
  readonly id: string;
  /** The strategy's revision that the change was made from. */
  readonly fromRevision: number;
  readonly definition: Definition;
  readonly author: string;
  /** Undefined: the call cannot be repeated safely. */
  readonly request: UpdateRequest | undefined;
}

/** The caller's key of an update, with the strategy as the caller named it: a name may be another's by the time of a repeat. */
export interface UpdateRequest {
  readonly id: string;
  readonly named: string;
}

/** What came of a write. `kept`: nothing had to be written, and `revision` is what stands. */
export type WriteOutcome =
  | { readonly kind: 'written' | 'kept'; readonly revision: Revision }
  | { readonly kind: 'name_taken' }
  | { readonly kind: 'request_reused'; readonly strategyId: string }
  | { readonly kind: 'stale'; readonly current: number }
  | { readonly kind: 'not_found' };

export interface StrategyBook {
  create(order: NewStrategy): Promise<WriteOutcome>;
  update(order: StrategyUpdate): Promise<WriteOutcome>;
  /** The strategy that an earlier update with this request id was about; undefined when there was none. */
  updatedBy(accountId: string, requestId: string): Promise<string | undefined>;
  /** A strategy that is deleted already is kept so. */
  delete(accountId: string, id: string, author: string): Promise<WriteOutcome>;
  /** The id of a strategy by its name, or by its id, then also of a deleted one; undefined when there is none. */
  find(accountId: string, nameOrId: string): Promise<string | undefined>;
  /** The newest revision of a strategy up to `number`. */
  get(accountId: string, strategyId: string, number: number): Promise<Revision | undefined>;
  /** The newest revisions of strategies that are not deleted, by name, after `afterName`. */
  list(accountId: string, afterName: string, strategiesMax: number): Promise<readonly NamedRevision[]>;
  /** Newest revision of each strategy, deleted ones too, by id. */
  newest(accountId: string, strategyIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Revisions of one strategy below `belowNumber`, newest first. */
  revisions(accountId: string, strategyId: string, belowNumber: number, max: number): Promise<readonly Revision[]>;
  account(accountId: string): Promise<AccountState>;
  /** The account's next changes after a revision, together with where it stands: from one moment. */
  changesAfter(accountId: string, revision: number, changesMax: number): Promise<ChangePage>;
}

/** Tells watchers that an account's strategies have changed. */
export interface ChangeBell {
  onChange(accountId: string, callback: () => void): () => void;
}

/** Names a revision in the outbox. */
export interface OutboxKey {
  readonly accountId: string;
  readonly number: number;
}

/** An account and where it stands. */
export interface ChangedAccount extends AccountState {
  readonly id: string;
}

/** What has still to be published. */
export interface Outbox {
  /** In the order of each account; none that is younger than `olderThanMs`. */
  unpublished(olderThanMs: number, revisionsMax: number): Promise<readonly Revision[]>;
  remove(keys: readonly OutboxKey[]): Promise<void>;
  /** Accounts in the order of their ids, that have changed within a time or ever. */
  changedAccounts(
    withinMs: number | undefined,
    afterId: string,
    accountsMax: number,
  ): Promise<readonly ChangedAccount[]>;
}
