import { messageOf } from '../../platform/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ClaimedWork, WorkBook } from '../domain/work.ts';

/** A replica that is gone has its sessions taken over after this. */
const LEASE_MS = 6_000;
const RENEW_MS = 2_000;
/** Without a ring, due sessions are looked for this often. */
const POLL_MS = 500;
/** Sessions worked on at once. */
const WORKERS_MAX = 24;
const FAILED_AGAIN_MS = 1_000;

export interface RunnerOptions {
  readonly work: WorkBook;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Does what a session wants; returns in how many milliseconds to look again. `lost` aborts when the lease is gone. */
  readonly run: (sessionId: string, lost: AbortSignal) => Promise<number>;
}

/** Works on sessions that are due, each by one replica at a time. */
export class Runner implements Running {
  readonly #options: RunnerOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #claim: Promise<void> = Promise.resolve();
  #claiming = false;
  #again = false;
  #cancelPoll: (() => void) | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  start(): void {
    this.poke();
  }

  /** Looks for due sessions now. */
  poke(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#claiming) {
      this.#again = true;
      return;
    }
    this.#claiming = true;
    this.#cancelPoll?.();
    this.#claim = this.#claimDue();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelPoll?.();
    await this.#claim;
    await Promise.all(this.#running);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Never rejects. */
  async #claimDue(): Promise<void> {
    const { work, clock, logger } = this.#options;
    const free = WORKERS_MAX - this.#running.size;
    try {
      const claimed = free <= 0 ? [] : await work.claim(LEASE_MS, free);
      for (const each of claimed) this.#begin(each);
    } catch (thrown) {
      logger.debug({ reason: messageOf(thrown) }, 'due sessions not read');
    }
    this.#claiming = false;
    const again = this.#again && this.#running.size < WORKERS_MAX;
    this.#again = false;
    if (!this.#stopping.signal.aborted) this.#cancelPoll = clock.after(again ? 0 : POLL_MS, () => this.poke());
  }

  #begin(claimed: ClaimedWork): void {
    const done = this.#work(claimed).finally(() => {
      this.#running.delete(done);
      this.poke();
    });
    this.#running.add(done);
  }

  async #work(claimed: ClaimedWork): Promise<void> {
    const { work, clock, logger, run } = this.#options;
    const { sessionId } = claimed;
    const lost = new AbortController();
    const stop = (): void => lost.abort();
    this.#stopping.signal.addEventListener('abort', stop);
    let cancelRenewal: (() => void) | undefined;
    const renewLater = (): void => {
      cancelRenewal = clock.after(RENEW_MS, () => {
        work.renew(sessionId, LEASE_MS).then(
          (held) => (held ? renewLater() : lost.abort()),
          // Postgres may be back before the lease is over.
          () => renewLater(),
        );
      });
    };
    renewLater();
    let dueInMs = FAILED_AGAIN_MS;
    try {
      dueInMs = await run(sessionId, lost.signal);
    } catch (thrown) {
      if (!lost.signal.aborted) logger.warn({ sessionId, reason: messageOf(thrown) }, 'session work failed');
    } finally {
      cancelRenewal?.();
      this.#stopping.signal.removeEventListener('abort', stop);
    }
    try {
      await work.release(claimed, dueInMs);
    } catch (thrown) {
      logger.debug({ sessionId, reason: messageOf(thrown) }, 'session not released; its lease ends by itself');
    }
  }
}
