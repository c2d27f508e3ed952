import type { Executor } from './executor.ts';
import type { Refusal } from './refusal.ts';

/** What handlers ask of the stored executors; `store/` answers with Postgres. Nothing leaves its account. */

/** A credential without its secret. */
export interface CredentialFacts {
  readonly keyId: string;
  readonly createMs: number;
  /** Null: it does not end. */
  readonly expireMs: number | null;
}

/** A credential as it is made: the secret is told once, only its hash is stored. */
export interface NewCredential {
  readonly keyId: string;
  readonly secret: string;
  readonly secretHash: Uint8Array;
}

/** An executor with what stands beside it. */
export interface ExecutorView {
  readonly executor: Executor;
  readonly inFlight: number;
  readonly queued: number;
  /** Open commands that it may have. */
  readonly queuedMax: number;
  /** Newest first. */
  readonly credentials: readonly CredentialFacts[];
  /** The latest; null when no agent of it was ever refused. */
  readonly refusal: Refusal | null;
}

/** Changes whenever anything that an `ExecutorView` shows changes. */
export interface ExecutorVersion {
  readonly id: string;
  readonly version: string;
}

export interface ExecutorBook {
  /** False when the name is taken in the account. */
  create(order: {
    readonly id: string;
    readonly accountId: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly credential: NewCredential;
  }): Promise<boolean>;
  /** Views of these executors, in no particular order; unknown ids and those of other accounts are left out. */
  views(accountId: string, ids: readonly string[]): Promise<readonly ExecutorView[]>;
  /** Ids in order of name, after `afterName`, of those that carry all of `labels`. */
  list(
    accountId: string,
    page: {
      readonly afterName: string;
      readonly executorsMax: number;
      readonly labels: Readonly<Record<string, string>>;
    },
  ): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** The version of every executor of the account, or of one. */
  versions(accountId: string, executorId: string | undefined): Promise<readonly ExecutorVersion[]>;
  /** Adds a credential and ends the others `overlapMs` from now. False when the executor is disabled or unknown. */
  rotate(accountId: string, executorId: string, credential: NewCredential, overlapMs: number): Promise<boolean>;
  /** Disables and ends every credential now; changes nothing when that has happened before. */
  disable(accountId: string, executorId: string): Promise<void>;
}

/** Resolves executors by name or id; as old as a second at most. */
export interface ExecutorDirectory {
  /** The executor of the account with that name or id; undefined when there is none. */
  find(accountId: string, nameOrId: string): Promise<Executor | undefined>;
  /** As `find`. @throws NOT_FOUND when there is none. */
  resolve(accountId: string, nameOrId: string): Promise<Executor>;
  /** Names by id; ids of other accounts are left out. */
  names(accountId: string, ids: Iterable<string>): Promise<ReadonlyMap<string, string>>;
  /** Forgets what it knows of the executor. */
  invalidate(executorId: string): void;
}
