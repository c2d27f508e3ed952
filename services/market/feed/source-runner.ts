import { setImmediate as nextTurn } from 'node:timers/promises';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import { isUnavailable } from '../../platform/postgres/failure.ts';
import { type MarketEvent, priceText } from '../domain/market-event.ts';
import type { Owner, SourceBook } from '../domain/market-store.ts';
import { MinuteCandles } from '../domain/minute-candles.ts';
import { KEPT_MAX, type PublishedEvent } from '../domain/published-event.ts';
import {
  isRepeatable,
  type Source,
  type SourceCounts,
  type SourcePosition,
  type SourceStateName,
} from '../domain/source.ts';
import { type Feed, type FeedBatch, FeedError } from './feed.ts';
import type { SymbolMarket } from './symbol-market.ts';

export interface RunnerDependencies {
  readonly source: Source;
  /** Opens the feed at the source's position. */
  readonly open: (source: Source) => Promise<Feed>;
  readonly market: SymbolMarket;
  readonly book: Pick<SourceBook, 'advance' | 'trim'>;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once, when it has ended by itself or lost its source. */
  readonly onEnd: (runner: SourceRunner) => void;
}

/** Why a runner is stopped: for good, for another replica to go on, or because another replica does already. */
export type StopHow = 'stopped' | 'released' | 'lost';

/** How long events of a source that can repeat itself may wait to be stored, so that many share a statement. */
const STORE_DELAY_MS = 200;
const STORE_EVENTS_MAX = 1_000;
/** How long a source that goes as fast as it is taken gives watchers at other replicas to join, before its first event. */
const JOIN_MS = 200;
/** So many events are stored between two removals of old ones. */
const TRIM_EVERY = 1_000;
/** How soon what the database could not do is tried again. */
const DATABASE_BACKOFF = { firstMs: 100, maxMs: 2_000 };

/**
 * Runs one source on this replica: numbers its events, publishes them, and stores them with the position after them. Events
 * that can be had again are published first; those of an exchange are stored first, so that no number is ever given twice.
 */
export class SourceRunner {
  readonly source: Source;
  readonly #deps: RunnerDependencies;
  readonly #abort = new AbortController();
  readonly #minutes: MinuteCandles;
  #pending: PublishedEvent[] = [];
  #position: SourcePosition;
  #counts: SourceCounts;
  #running: Promise<void> = Promise.resolve();
  #storing: Promise<void> = Promise.resolve();
  #dirty = false;
  #scheduled = false;
  #lost = false;
  #untrimmed = TRIM_EVERY;
  #failures = 0;

  constructor(deps: RunnerDependencies) {
    this.#deps = deps;
    this.source = deps.source;
    this.#position = deps.source.position;
    this.#counts = deps.source.counts;
    this.#minutes = new MinuteCandles(deps.source.position.openCandle);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends it and stores where it stands; resolves when nothing of it is left. */
  async stop(how: StopHow): Promise<void> {
    if (how === 'lost') this.#lost = true;
    this.#abort.abort();
    await this.#running;
    if (how === 'stopped') await this.#finish('STOPPED', 'stopped');
    else if (how === 'released') await this.#store();
  }

  async #run(): Promise<void> {
    const { logger, onEnd, market } = this.#deps;
    const { signal } = this.#abort;
    try {
      const feed = await this.#open();
      if (feed === undefined) return;
      this.#counts = { ...this.#counts, intervalMs: feed.intervalMs };
      if (feed.startMs !== undefined) this.#position = { ...this.#position, startMs: feed.startMs };
      market.follow({ ...this.source, counts: this.#counts });
      if (feed.waitsForWatchers) await pause(this.#deps.clock, JOIN_MS, signal);
      for await (const batch of feed.batches(signal)) {
        if (signal.aborted) return;
        await this.#take(batch, feed);
      }
      if (signal.aborted) return;
      await this.#finish('COMPLETED', 'reached its end');
    } catch (thrown) {
      if (signal.aborted) return;
      if (!(thrown instanceof FeedError)) logger.error({ err: thrown, source: this.source.id }, 'source failed');
      await this.#finish(
        'FAILED',
        thrown instanceof FeedError ? thrown.message : 'a defect of the platform; see its log',
      );
    }
    onEnd(this);
  }

  /** Waits for a database that is away: a source does not end because what it plays cannot be read just now. Undefined when stopped. */
  async #open(): Promise<Feed | undefined> {
    const { open, clock, logger } = this.#deps;
    const { signal } = this.#abort;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await open(this.source);
      } catch (thrown) {
        if (!isUnavailable(thrown)) throw thrown;
        if (attempt === 1)
          logger.warn({ reason: messageOf(thrown), source: this.source.id }, 'source waits for postgres');
        await pause(clock, backoffMs(attempt, DATABASE_BACKOFF), signal);
      }
    }
    return undefined;
  }

  async #take({ events, progressPercent }: FeedBatch, feed: Feed): Promise<void> {
    const { market, clock } = this.#deps;
    const { signal } = this.#abort;
    const published = events.map((event) => this.#place(event));
    const last = published.at(-1);
    this.#counts = {
      ...this.#counts,
      ...feed.stats(),
      events: this.#position.index,
      progressPercent,
      ...(last === undefined
        ? {}
        : { lastTimeMs: last.event.timeMs, lastPrice: priceText(last.event), lastArrivalMs: clock.nowMs() }),
    };
    this.#pending.push(...published);
    this.#dirty = true;
    if (!isRepeatable(this.source.kind)) await this.#store();
    if (this.#lost) return;
    market.publish(published);
    this.#storeSoon();
    if (!feed.waitsForWatchers) return;
    // Watchers get their turn, and the slowest of them sets the pace.
    await nextTurn();
    await market.room(signal);
    if (this.#pending.length >= STORE_EVENTS_MAX) await this.#store();
  }

  #place(event: MarketEvent): PublishedEvent {
    const closed = event.kind === 'trade' ? this.#minutes.add(event) : undefined;
    const { sequence, index, startMs } = this.#position;
    const { open } = this.#minutes;
    this.#position = {
      sequence: sequence + 1,
      index: index + 1,
      ...(startMs === undefined ? {} : { startMs }),
      ...(event.kind === 'candle' ? { lastOpenMs: event.openTimeMs, lastClose: event.close } : {}),
      ...(open === undefined ? {} : { openCandle: open }),
    };
    return { sequence: sequence + 1, sourceId: this.source.id, event, closed };
  }

  #storeSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#deps.clock.after(STORE_DELAY_MS, () => {
      this.#scheduled = false;
      if (this.#dirty && !this.#lost) void this.#store();
    });
  }

  async #finish(state: SourceStateName, reason: string): Promise<void> {
    if (this.#lost) return;
    this.#dirty = true;
    await this.#store(state, reason);
    this.#lost = true;
  }

  /** One after another; each takes what has gathered. */
  #store(state: SourceStateName = 'RUNNING', reason = ''): Promise<void> {
    this.#storing = this.#storing.then(() => this.#storeNow(state, reason));
    return this.#storing;
  }

  async #storeNow(state: SourceStateName, reason: string): Promise<void> {
    const { book, owner, clock, logger } = this.#deps;
    while (this.#dirty && !this.#lost) {
      const events = this.#pending.slice(-KEPT_MAX);
      this.#pending = [];
      this.#dirty = false;
      try {
        const progress = { source: this.source, events, position: this.#position, counts: this.#counts, state, reason };
        if (!(await book.advance(progress, owner))) this.#lose();
        this.#failures = 0;
        await this.#trim(events.length);
      } catch (thrown) {
        this.#pending = [...events, ...this.#pending];
        this.#dirty = true;
        if (++this.#failures === 1)
          logger.warn({ reason: messageOf(thrown), source: this.source.id }, 'events not stored yet');
        await pause(clock, backoffMs(this.#failures, DATABASE_BACKOFF), this.#abort.signal);
        // A stop must not wait for a database that is away: what is not stored is had again, or was never told.
        if (this.#abort.signal.aborted && this.#failures > 1) return;
      }
    }
  }

  async #trim(stored: number): Promise<void> {
    this.#untrimmed += stored;
    if (this.#untrimmed < TRIM_EVERY) return;
    this.#untrimmed = 0;
    await this.#deps.book.trim(this.source.accountId, this.source.symbol, this.#position.sequence);
  }

  /** Another replica has the source: nothing more is published here. */
  #lose(): void {
    this.#lost = true;
    this.#abort.abort();
    this.#deps.onEnd(this);
  }
}
