import { Batcher } from '../../platform/batcher.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { strategyChangedSubject } from '../../platform/nats/subject.ts';
import type { NatsLink } from '../../platform/nats/connection.ts';
import type { ChangedAccount, Outbox, OutboxKey, Revision } from '../domain/strategy-book.ts';
import { encodeChange, encodeReminder } from '../wire/change-to-proto.ts';

/** Between two looks at the outbox, and the shortest time between reminders of an account. */
const SWEEP_INTERVAL_MS = 1_000;
/** Younger revisions are left to the replica that committed them. */
const UNPUBLISHED_MS = 500;
const REVISIONS_PER_SWEEP = 500;
/** Every so many sweeps each account is reminded, changed or not. */
const SWEEPS_PER_REMINDER = 10;
/** More than the time between sweeps, so that a slow one misses nothing; an account is not reminded twice of one revision. */
const CHANGED_WITHIN_MS = 5_000;
const ACCOUNTS_PER_PAGE = 1_000;
const REMOVALS_MAX = 500;

export interface RelayOptions {
  readonly outbox: Outbox;
  readonly nats: Pick<NatsLink, 'connected' | 'publish' | 'onReconnect'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for each revision that this replica committed and could not publish. */
  readonly unpublished: (accountId: string) => void;
}

/**
 * Publishes revisions: each right after its commit, and whatever that has left lying in a sweep. A message says that there is
 * something new, and saves the reader a look; it may be lost, doubled or late, and readers find gaps by the numbers.
 */
export class Relay implements Running {
  readonly #options: RelayOptions;
  readonly #removals: Batcher<OutboxKey, undefined>;
  readonly #reminded = new Map<string, number>();
  readonly #offReconnect: () => void;
  #cancel: (() => void) | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #sweeps = 0;
  #healthy = true;
  #stopped = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#removals = new Batcher({
      itemsMax: REMOVALS_MAX,
      flush: async (keys) => {
        await options.outbox.remove(keys);
        return keys.map(() => undefined);
      },
    });
    this.#offReconnect = options.nats.onReconnect(() => this.#sweepNow());
  }

  start(): void {
    this.#schedule();
  }

  /** Publishes what was just committed. */
  committed(revision: Revision): void {
    if (this.#publish(revision)) this.#remove(revision);
    else this.#options.unpublished(revision.accountId);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#offReconnect();
    this.#cancel?.();
    await this.#sweeping;
    await this.#removals.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #publish(revision: Revision): boolean {
    return this.#options.nats.publish(strategyChangedSubject(revision.accountId), encodeChange(revision));
  }

  #remove({ accountId, number }: Revision): void {
    if (this.#stopped) return;
    // What could not be removed is published again by a sweep, which is harmless.
    this.#removals.add({ accountId, number }).catch((thrown: unknown) => {
      this.#options.logger.debug({ reason: messageOf(thrown) }, 'published revision stays in the outbox');
    });
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(SWEEP_INTERVAL_MS, () => this.#sweepNow());
  }

  #sweepNow(): void {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#sweeping = this.#sweeping.then(() => this.#sweep()).finally(() => this.#schedule());
  }

  async #sweep(): Promise<void> {
    const { logger, nats } = this.#options;
    if (this.#stopped || !nats.connected) return;
    this.#sweeps += 1;
    try {
      await this.#publishLeftOver();
      await this.#remind(this.#sweeps % SWEEPS_PER_REMINDER === 0);
      if (!this.#healthy) logger.info('relay works again');
      this.#healthy = true;
    } catch (thrown) {
      if (this.#healthy) logger.warn({ reason: messageOf(thrown) }, 'relay failed, trying again');
      this.#healthy = false;
    }
  }

  async #publishLeftOver(): Promise<void> {
    const { outbox } = this.#options;
    for (;;) {
      const revisions = await outbox.unpublished(UNPUBLISHED_MS, REVISIONS_PER_SWEEP);
      const published = revisions.filter((revision) => this.#publish(revision));
      if (published.length > 0) await outbox.remove(published);
      if (revisions.length < REVISIONS_PER_SWEEP || published.length < revisions.length || this.#stopped) return;
    }
  }

  /** Tells where accounts stand: a reader that has missed the last message learns it from this. */
  async #remind(everybody: boolean): Promise<void> {
    const { outbox, nats } = this.#options;
    let page: readonly ChangedAccount[];
    let afterId = '';
    do {
      page = await outbox.changedAccounts(everybody ? undefined : CHANGED_WITHIN_MS, afterId, ACCOUNTS_PER_PAGE);
      for (const account of page) {
        if (!everybody && this.#reminded.get(account.id) === account.revision) continue;
        if (nats.publish(strategyChangedSubject(account.id), encodeReminder(account))) {
          this.#reminded.set(account.id, account.revision);
        }
      }
      afterId = page.at(-1)?.id ?? afterId;
    } while (page.length === ACCOUNTS_PER_PAGE && !this.#stopped);
  }
}
