import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Running } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { type DelivererDependencies, deliverDue } from './delivery/deliverer.ts';
import type { OutageNotice } from './delivery/outage-notice.ts';
import { judge, type Pace } from './domain/alert.ts';
import type { AlertBook } from './domain/alert-book.ts';
import type { Look } from './domain/condition.ts';
import type { Patience } from './domain/patience.ts';

/** A replica that died is followed after so many intervals, and no sooner than that many milliseconds. */
const LEASE_INTERVALS = 3;
const LEASE_MS_MIN = 10_000;
const KEEP_RECOVERED_MS = 30 * 86_400_000;

export interface WatcherOptions extends DelivererDependencies {
  readonly book: AlertBook;
  readonly look: (nowMs: number) => Promise<Look>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly pace: Pace;
  readonly patience: Patience;
  readonly outage: OutageNotice;
}

/** Looks at the rules every few seconds, as long as no other replica does, and sends what is to be told. */
export class Watcher implements Running {
  readonly #options: WatcherOptions;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: (() => void) | undefined;
  #failing = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  start(delayMs = 0): void {
    const { clock, intervalMs } = this.#options;
    this.#cancel = clock.after(delayMs, () => {
      this.#round = this.#once().finally(() => {
        if (!this.#stopped) this.start(intervalMs);
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #once(): Promise<void> {
    try {
      await this.watch();
      this.#failing = false;
      await this.#options.outage.succeeded();
    } catch (thrown) {
      // Once: while Postgres is away this comes again every few seconds.
      if (!this.#failing) this.#options.logger.error({ err: thrown }, 'rules cannot be watched');
      this.#failing = true;
      await this.#options.outage.failed(causeOf(thrown));
    }
  }

  /** One round. @throws while Postgres is away */
  async watch(): Promise<void> {
    const { book, channels, clock, intervalMs, pace, patience, look } = this.#options;
    if (!(await book.holdsWatch(Math.max(LEASE_MS_MIN, LEASE_INTERVALS * intervalMs)))) return;
    const found = await look(clock.nowMs());
    const nowMs = clock.nowMs();
    const mayBegin = patience.lasting(found.conditions, nowMs);
    const verdicts = judge(await book.known(found.conditions), found, { pace, mayBegin, nowMs });
    const names = channels.map(({ name }) => name);
    if (!(await book.record(verdicts, names, nowMs))) return;
    await deliverDue(this.#options);
    await book.forget(nowMs - KEEP_RECOVERED_MS);
  }
}

/** What is behind "cannot be reached". */
function causeOf(thrown: unknown): string {
  return messageOf(thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown);
}
