import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import type { SourceBook } from '../domain/market-store.ts';
import type { PublishedEvent } from '../domain/published-event.ts';
import type { SymbolMarket } from './symbol-market.ts';

/** What another replica tells at once. */
export interface FollowedEvents {
  readonly events: readonly PublishedEvent[];
  /** Whether events before these are no longer kept there. */
  readonly missed: boolean;
}

export interface MirrorDependencies {
  readonly book: SourceBook;
  /** Whether this replica runs the symbol's source itself. */
  readonly runsHere: (accountId: string, symbol: string) => boolean;
  /** The address of this replica, as leases name it. */
  readonly ownUrl: () => string;
  /** The events that the replica at `url` gives after a sequence. */
  readonly follow: (url: string, market: SymbolMarket, signal: AbortSignal) => AsyncIterable<FollowedEvents>;
  /** Calls back when a source of the account has changed somewhere. */
  readonly onChange: (accountId: string, callback: () => void) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_MS = 1_000;

/** Brings a symbol's events here from the replica that runs its source, for as long as that is another one. */
export class Mirror implements Running {
  readonly #deps: MirrorDependencies;
  readonly #market: SymbolMarket;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  readonly #unsubscribe: () => void;
  #look = new AbortController();

  constructor(market: SymbolMarket, deps: MirrorDependencies) {
    this.#market = market;
    this.#deps = deps;
    this.#unsubscribe = deps.onChange(market.accountId, () => this.#lookNow());
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#lookNow();
    this.#unsubscribe();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    const { book, runsHere, ownUrl, clock, logger } = this.#deps;
    const { accountId, symbol } = this.#market;
    while (!this.#abort.signal.aborted) {
      this.#look = new AbortController();
      try {
        const source = runsHere(accountId, symbol) ? undefined : await book.running(accountId, symbol);
        if (source?.ownerUrl !== undefined && source.leased && source.ownerUrl !== ownUrl()) {
          this.#market.follow(source);
          await this.#follow(source.ownerUrl, source.leaseEpoch);
        }
      } catch (thrown) {
        logger.debug({ symbol, reason: messageOf(thrown) }, 'market of another replica not followed');
      }
      await pause(clock, LOOK_MS, this.#look.signal);
    }
  }

  /** Until the source has another owner, or none. */
  async #follow(url: string, epoch: number): Promise<void> {
    const { book, clock } = this.#deps;
    const { accountId, symbol } = this.#market;
    const over = new AbortController();
    const stop = (): void => over.abort();
    this.#abort.signal.addEventListener('abort', stop, { once: true });
    const watchOwner = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await pause(clock, LOOK_MS, over.signal);
        if (over.signal.aborted) return;
        const source = await book.running(accountId, symbol);
        if (source?.leaseEpoch !== epoch || !source.leased) stop();
      }
    };
    const watching = watchOwner().catch(stop);
    try {
      for await (const { events, missed } of this.#deps.follow(url, this.#market, over.signal)) {
        if (missed) this.#market.interrupt();
        this.#market.publish(events);
        await this.#market.room(over.signal);
      }
    } finally {
      stop();
      this.#abort.signal.removeEventListener('abort', stop);
      await watching;
    }
  }

  #lookNow(): void {
    this.#look.abort();
  }
}
