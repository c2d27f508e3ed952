import type { Draft } from './draft.ts';
import type { CommandRecord } from './records.ts';
import type { ChangeOptions } from './repository.ts';

/** An account that this replica follows, from where it had come. */
export interface Followed {
  readonly accountId: string;
  readonly epoch: number;
  readonly commandCursor: string;
  readonly venueCursor: string;
}

export interface SessionChange {
  readonly sessionId: string;
  readonly options: ChangeOptions;
  readonly work: (draft: Draft) => void;
}

/** What follows from a stretch of a stream, with the cursor behind it. */
export interface Progress {
  readonly accountId: string;
  readonly epoch: number;
  readonly stream: 'commands' | 'venue';
  readonly cursor: string;
  readonly changes: readonly SessionChange[];
  /** Commands of no single session, as they stand now, and the halts that they belong to. */
  readonly commands: readonly CommandRecord[];
}

/** How far commands and venue events have been followed. */
export interface FollowBook {
  /** Begins to follow an account at these cursors; nothing when it is followed already. */
  begin(accountId: string, commandCursor: string): Promise<boolean>;
  isFollowed(accountId: string): Promise<boolean>;
  /** Accounts that nobody follows at the moment. */
  claim(leaseMs: number, max: number): Promise<readonly Followed[]>;
  /** False when somebody else has taken over. */
  renew(followed: Pick<Followed, 'accountId' | 'epoch'>, leaseMs: number): Promise<boolean>;
  release(followed: Pick<Followed, 'accountId' | 'epoch'>): Promise<void>;
  /** Everything in one transaction with the cursor. @throws Error when somebody else has taken over; nothing is changed then. */
  advance(progress: Progress): Promise<void>;
  /** Which of these request ids are of commands that sessions or halts want. */
  find(accountId: string, requestIds: readonly string[]): Promise<readonly CommandRecord[]>;
  /** Those of the sessions that the account has on the executor. */
  onExecutor(accountId: string, executorId: string, sessionIds: readonly string[]): Promise<readonly string[]>;
  /** The session that holds the position which a command opened. */
  sessionOf(accountId: string, sessionId: string): Promise<boolean>;
}
