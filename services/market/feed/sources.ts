import type { Clock } from '../../platform/clock.ts';
import { messageOf, notFound, StatusError, unavailable } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import type { Owner, SourceBook } from '../domain/market-store.ts';
import type { Source, SourceKind } from '../domain/source.ts';
import type { Feed } from './feed.ts';
import type { MarketHold, Markets } from './markets.ts';
import { SourceRunner, type StopHow } from './source-runner.ts';

export interface SourcesDependencies {
  readonly book: SourceBook;
  readonly markets: Markets;
  readonly owner: Owner;
  readonly open: (source: Source) => Promise<Feed>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Tells other replicas that a source of the account has changed. */
  readonly changed: (accountId: string) => void;
}

interface Held {
  readonly runner: SourceRunner;
  readonly hold: MarketHold;
}

/** How often leases are prolonged and sources without a living owner are looked for. */
const LOOK_MS = 1_000;
const STOP_LOOK_MS = 50;
const STOP_MS_MAX = 15_000;

/**
 * The sources that this replica runs, each under a lease. Every second all leases are prolonged in one statement; a source
 * whose lease could not be prolonged in time is let go before another replica may take it.
 */
export class Sources implements Running {
  readonly #deps: SourcesDependencies;
  readonly #held = new Map<string, Held>();
  /** Being started or let go: rows of this replica that no look may take for left behind. */
  readonly #moving = new Set<string>();
  readonly #stopping = new AbortController();
  #renewedMs: number;
  #looking: Promise<void> = Promise.resolve();
  #lookWaits = false;
  #cancel: (() => void) | undefined;

  constructor(deps: SourcesDependencies) {
    this.#deps = deps;
    this.#renewedMs = deps.clock.steadyMs();
  }

  /** Takes over what waits for an owner, then looks regularly. */
  async begin(): Promise<void> {
    await this.#look();
    this.#lookLater();
  }

  /** Whether this replica runs the symbol's source. */
  runs(accountId: string, symbol: string): boolean {
    return [...this.#held.values()].some(
      ({ runner: { source } }) => source.accountId === accountId && source.symbol === symbol,
    );
  }

  /** Something has changed elsewhere: look now rather than later. */
  lookSoon(): void {
    void this.#lookOnce();
  }

  /** @throws FAILED_PRECONDITION (SOURCE_RUNNING) when another source feeds the symbol and `replace` is false. */
  async start(request: {
    readonly id: string;
    readonly accountId: string;
    readonly symbol: string;
    readonly kind: SourceKind;
    readonly replace: boolean;
  }): Promise<Source> {
    const { book, owner, changed } = this.#deps;
    const { accountId, symbol, replace } = request;
    for (;;) {
      const source = await this.#moved(request.id, async () => {
        const stored = await book.start(request, owner);
        if (stored !== undefined) await this.#run(stored);
        return stored;
      });
      if (source !== undefined) {
        changed(accountId);
        return source;
      }
      const running = await book.running(accountId, symbol);
      if (running === undefined) continue;
      if (!replace) {
        throw new StatusError(
          'FailedPrecondition',
          'SOURCE_RUNNING',
          `a ${running.kind.kind} feeds ${symbol} already; stop it, or start this one with replace`,
          { metadata: { symbol, source: running.id } },
        );
      }
      await this.stopSource(accountId, running.id);
    }
  }

  /** Stops a source, wherever it runs, and returns it as stored. One that has ended already stays as it is. */
  async stopSource(accountId: string, idOrSymbol: string): Promise<Source> {
    const { book, clock, changed } = this.#deps;
    const found = await book.find(accountId, idOrSymbol);
    if (found === undefined) throw notFound('source', idOrSymbol);
    const endMs = clock.steadyMs() + STOP_MS_MAX;
    for (let source: Source | undefined = found; source !== undefined; source = await book.find(accountId, found.id)) {
      if (source.state !== 'RUNNING') return source;
      if (this.#held.has(source.id)) await this.#end(source.id, 'stopped');
      else {
        if (!source.stopRequested) {
          await book.requestStop(source.id);
          changed(accountId);
        }
        if (!source.leased && (await book.stopAbandoned(source.id))) continue;
        if (clock.steadyMs() >= endMs) break;
        await pause(clock, STOP_LOOK_MS, this.#stopping.signal);
      }
      if (this.#stopping.signal.aborted) break;
    }
    throw unavailable('market', 'the replica that runs the source has not let go of it yet; call again');
  }

  /** Lets go of everything, so that other replicas go on at once. */
  async stop(): Promise<void> {
    const { book, owner, logger } = this.#deps;
    this.#stopping.abort();
    this.#cancel?.();
    await this.#looking;
    const ids = [...this.#held.keys()];
    await Promise.all(ids.map((id) => this.#end(id, 'released')));
    if (ids.length === 0) return;
    try {
      await book.release(ids, owner);
    } catch (thrown) {
      logger.warn({ reason: messageOf(thrown) }, 'sources not released; their leases run out');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(source: Source): Promise<void> {
    const { markets, book, owner, clock, logger, open } = this.#deps;
    const hold = await markets.holdForSource(source.accountId, source.symbol);
    const runner = new SourceRunner({
      source,
      open,
      market: hold.market,
      book,
      owner,
      clock,
      logger,
      onEnd: (ended) => {
        if (this.#held.get(ended.source.id)?.runner === ended) this.#held.delete(ended.source.id);
        hold.release();
        this.#deps.changed(source.accountId);
      },
    });
    this.#held.set(source.id, { runner, hold });
    logger.info({ source: source.id, symbol: source.symbol, kind: source.kind.kind }, 'source started');
    runner.start();
  }

  async #end(id: string, how: StopHow): Promise<void> {
    const held = this.#held.get(id);
    if (held === undefined) return;
    await this.#moved(id, async () => {
      this.#held.delete(id);
      await held.runner.stop(how);
      held.hold.release();
    });
    this.#deps.logger.info({ source: id, how }, 'source let go');
    this.#deps.changed(held.runner.source.accountId);
  }

  async #moved<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#moving.add(id);
    try {
      return await work();
    } finally {
      this.#moving.delete(id);
    }
  }

  #lookLater(): void {
    if (this.#stopping.signal.aborted) return;
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      void this.#lookOnce();
      this.#lookLater();
    });
  }

  /** One look at a time; what asks for one while another waits is served by that one. */
  #lookOnce(): Promise<void> {
    if (!this.#lookWaits) this.#looking = this.#lookAfter(this.#looking);
    return this.#looking;
  }

  async #lookAfter(before: Promise<void>): Promise<void> {
    this.#lookWaits = true;
    await before;
    this.#lookWaits = false;
    if (this.#stopping.signal.aborted) return;
    try {
      await this.#look();
    } catch (thrown) {
      this.#deps.logger.warn({ reason: messageOf(thrown) }, 'leases not prolonged');
      await this.#dropExpired();
    }
  }

  async #look(): Promise<void> {
    const { book, owner, clock } = this.#deps;
    const beganMs = clock.steadyMs();
    const ids = [...this.#held.keys()];
    if (ids.length > 0) {
      const mine = new Map((await book.renew(ids, owner)).map((source) => [source.id, source]));
      for (const id of ids) {
        const epoch = this.#held.get(id)?.runner.source.leaseEpoch;
        const source = mine.get(id);
        if (source === undefined || source.leaseEpoch !== epoch) await this.#end(id, 'lost');
        else if (source.stopRequested) await this.#end(id, 'stopped');
      }
    }
    this.#renewedMs = beganMs;
    for (const source of await book.claim([...this.#held.keys(), ...this.#moving], owner)) {
      await this.#run(source);
    }
  }

  /** The lease may be over: another replica may go on, so this one must not. */
  async #dropExpired(): Promise<void> {
    const { clock, owner } = this.#deps;
    if (clock.steadyMs() - this.#renewedMs < owner.leaseMs - LOOK_MS) return;
    await Promise.all([...this.#held.keys()].map((id) => this.#end(id, 'lost')));
  }
}
