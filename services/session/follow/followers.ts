import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Followed, FollowBook } from '../domain/follower.ts';
import type { Upstream } from '../upstream.ts';
import { Follower } from './follower.ts';

/** A replica that is gone has its accounts taken over after this. */
const LEASE_MS = 6_000;
const LOOK_MS = 1_000;
const ACCOUNTS_PER_CLAIM = 50;

export interface FollowersOptions {
  readonly book: FollowBook;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows every account that has sessions: each by one replica at a time. */
export class Followers implements Running {
  readonly #options: FollowersOptions;
  readonly #running = new Map<string, { readonly followed: Followed; readonly follower: Follower }>();
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: (() => void) | undefined;

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#next(0);
  }

  /** Makes sure that an account is followed from now on, before anything is asked of its executors. */
  async ensure(accountId: string): Promise<void> {
    const { book, upstream } = this.#options;
    if (await book.isFollowed(accountId)) return;
    const over = new AbortController();
    const options = upstream.as(accountId, { signal: over.signal });
    try {
      // Its first response is where the history stands now.
      for await (const { cursor } of upstream.commands.watchCommands({}, options)) {
        await book.begin(accountId, cursor);
        break;
      }
    } finally {
      over.abort();
    }
    this.#next(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#looking;
    const { book, logger } = this.#options;
    for (const [accountId, { follower, followed }] of this.#running) {
      await follower.stop();
      await book.release(followed).catch((thrown: unknown) => {
        logger.debug({ accountId, reason: messageOf(thrown) }, 'account not released; its lease ends by itself');
      });
    }
    this.#running.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #next(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(delayMs, () => {
      // One after the other: a look knows what this replica follows, and a stop waits for the last.
      this.#looking = this.#looking.then(() => this.#look()).finally(() => this.#next(LOOK_MS));
    });
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const { book, logger } = this.#options;
    try {
      for (const { followed, follower } of this.#running.values()) {
        if (await book.renew(followed, LEASE_MS)) continue;
        this.#running.delete(followed.accountId);
        await follower.stop();
      }
      for (const followed of await book.claim(LEASE_MS, ACCOUNTS_PER_CLAIM)) await this.#begin(followed);
    } catch (thrown) {
      logger.debug({ reason: messageOf(thrown) }, 'followed accounts not read');
    }
  }

  async #begin(followed: Followed): Promise<void> {
    await this.#running.get(followed.accountId)?.follower.stop();
    this.#running.set(followed.accountId, { followed, follower: new Follower({ ...this.#options, followed }) });
  }
}
