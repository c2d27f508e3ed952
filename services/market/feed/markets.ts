import type { Clock } from '../../platform/clock.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { FreshnessLimits } from '../domain/freshness.ts';
import type { SourceBook } from '../domain/market-store.ts';
import { SymbolMarket } from './symbol-market.ts';

/** A market in use. `release` it. */
export interface MarketHold {
  readonly market: SymbolMarket;
  release(): void;
}

interface Held {
  readonly market: Promise<SymbolMarket>;
  holds: number;
  /** Brings events of another replica's source, while nobody here runs one. */
  mirror: Running | undefined;
}

/** Every market that this replica runs or watches. One that nobody holds is forgotten: what matters of it is stored. */
export class Markets {
  readonly #book: SourceBook;
  readonly #clock: Clock;
  readonly #limits: FreshnessLimits;
  readonly #mirror: (market: SymbolMarket) => Running;
  readonly #held = new Map<string, Held>();

  constructor(book: SourceBook, clock: Clock, limits: FreshnessLimits, mirror: (market: SymbolMarket) => Running) {
    this.#book = book;
    this.#clock = clock;
    this.#limits = limits;
    this.#mirror = mirror;
  }

  /** For a source's runner: it feeds the market by itself. */
  async holdForSource(accountId: string, symbol: string): Promise<MarketHold> {
    return this.#hold(accountId, symbol, false);
  }

  /** For a watcher: a source on another replica is followed. */
  async holdForWatch(accountId: string, symbol: string): Promise<MarketHold> {
    return this.#hold(accountId, symbol, true);
  }

  async stop(): Promise<void> {
    const all = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(
      all.map(async ({ market, mirror }) => {
        await mirror?.stop();
        (await market).stop();
      }),
    );
  }

  async #hold(accountId: string, symbol: string, mirrored: boolean): Promise<MarketHold> {
    const key = JSON.stringify([accountId, symbol]);
    const held: Held = this.#held.get(key) ?? {
      market: this.#load(accountId, symbol),
      holds: 0,
      mirror: undefined,
    };
    this.#held.set(key, held);
    held.holds += 1;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      held.holds -= 1;
      if (held.holds === 0) this.#forget(key, held);
    };
    try {
      const market = await held.market;
      if (mirrored) held.mirror ??= this.#mirror(market);
      return { market, release };
    } catch (thrown) {
      release();
      throw thrown;
    }
  }

  async #load(accountId: string, symbol: string): Promise<SymbolMarket> {
    const market = new SymbolMarket(accountId, symbol, this.#clock, this.#limits);
    const [kept, source] = [await this.#book.kept(accountId, symbol), await this.#book.newest(accountId, symbol)];
    market.restore(kept, source);
    return market;
  }

  #forget(key: string, held: Held): void {
    if (this.#held.get(key) === held) this.#held.delete(key);
    void held.mirror?.stop();
    held.market.then(
      (market) => market.stop(),
      () => undefined,
    );
  }
}
