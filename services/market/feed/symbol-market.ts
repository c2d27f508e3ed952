import type { Clock } from '../../platform/clock.ts';
import {
  type FreshnessLimits,
  type FreshnessName,
  type FreshnessNow,
  freshnessAt,
  type Thresholds,
  thresholdsFor,
} from '../domain/freshness.ts';
import { priceNumber } from '../domain/market-event.ts';
import type { KeptHistory } from '../domain/market-store.ts';
import { candleOf, KEPT_MAX, type PlacedCandle, type PublishedEvent } from '../domain/published-event.ts';
import { type Source, speedOf } from '../domain/source.ts';
import type { IndicatorId } from '../indicators/indicator-id.ts';
import { freshComputations, SharedIndicators, valuesOf } from '../indicators/shared-indicators.ts';
import { KeptList } from './kept-events.ts';
import { type Item, type KeptEvent, slowConsumer, Subscription } from './subscription.ts';

/** Events that may wait for the slowest watcher while a source that could go faster goes on. */
const LAG_MAX = 1_000;
/** How long such a source waits for a watcher that takes nothing; then the watcher is let go. */
export const ROOM_MS_MAX = 5_000;

/** Where a watcher begins: after a sequence, after a time, or with what comes. */
export interface Cursor {
  readonly sequence: number;
  readonly afterTimeMs: number | undefined;
}

/** The events of one symbol as this replica knows them, its indicators, and those who watch. */
export class SymbolMarket {
  readonly accountId: string;
  readonly symbol: string;
  readonly #clock: Clock;
  readonly #limits: FreshnessLimits;
  readonly #events = new KeptList<KeptEvent>(KEPT_MAX);
  readonly #candles = new KeptList<PlacedCandle>(KEPT_MAX);
  readonly #indicators = new SharedIndicators();
  readonly #subscriptions = new Set<Subscription>();
  #headSequence = 0;
  #sourceId = '';
  #thresholds: Thresholds;
  #lastArrivalMs: number | undefined;
  #lastTimeMs: number | undefined;
  #freshness: FreshnessName = 'BLIND';
  #freshnessChanges = 0;
  #cancelTimer: (() => void) | undefined;
  #progress: (() => void) | undefined;

  constructor(accountId: string, symbol: string, clock: Clock, limits: FreshnessLimits) {
    this.accountId = accountId;
    this.symbol = symbol;
    this.#clock = clock;
    this.#limits = limits;
    this.#thresholds = thresholdsFor(limits, 0, 0);
  }

  /** Sequence of the newest event that is known here. */
  get headSequence(): number {
    return this.#headSequence;
  }

  /** Distinct computations that run for the watchers. */
  get computations(): number {
    return this.#indicators.computations;
  }

  /** Begins with what is stored. Must come before anything else. */
  restore(kept: KeptHistory, source: Source | undefined): void {
    this.#sourceId = kept.events.at(-1)?.sourceId ?? '';
    for (const candle of kept.candles) if (candle.sourceId === this.#sourceId) this.#candles.push(candle);
    for (const event of kept.events) {
      this.#keep(event);
      const candle = event.event.kind === 'candle' ? candleOf(event) : undefined;
      if (candle?.sourceId === this.#sourceId) this.#candles.push(candle);
    }
    this.#headSequence = Math.max(kept.headSequence, kept.events.at(-1)?.sequence ?? 0);
    if (source === undefined) return;
    this.follow(source);
    this.#lastArrivalMs = source.counts.lastArrivalMs;
    this.#lastTimeMs = source.counts.lastTimeMs;
    this.#review();
  }

  /** The source that feeds it decides how soon its prices are old. */
  follow(source: Source): void {
    this.#thresholds = thresholdsFor(this.#limits, source.counts.intervalMs, speedOf(source.kind));
    this.stop();
    this.#review();
  }

  /** Takes events in order and hands them to the watchers within this turn. What is known already is passed over. */
  publish(events: readonly PublishedEvent[]): void {
    let news = false;
    for (const event of events) {
      if (event.sequence <= this.#headSequence) continue;
      news = true;
      this.#headSequence = event.sequence;
      if (event.sourceId !== this.#sourceId) this.#begin(event.sourceId);
      const candle = candleOf(event);
      if (candle !== undefined) {
        this.#indicators.feed(candle);
        this.#candles.push(candle);
      }
      this.#keep(event);
    }
    if (!news) return;
    this.#lastArrivalMs = this.#clock.steadyMs();
    this.#lastTimeMs = events.at(-1)?.event.timeMs;
    this.#review();
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  /** Begins a watch; `wake` is called whenever there is something to read. `end` it. */
  watch(cursor: Cursor, ids: readonly IndicatorId[], wake: () => void): Subscription {
    const { after, missed } = this.#resume(cursor);
    const events = after === undefined ? [] : this.#events.items.slice(after);
    const { backlog, warmed } = this.#catchUp(events, ids);
    this.#indicators.acquire(ids, warmed);
    const subscription: Subscription = new Subscription(
      {
        events: this.#events,
        freshnessNow: () => this.freshnessNow(),
        freshnessChanges: () => this.#freshnessChanges,
        onRead: () => this.#progress?.(),
        onEnd: (ended) => {
          this.#subscriptions.delete(ended);
          this.#indicators.release(ids);
          this.#progress?.();
        },
      },
      { ids, backlog, missed, afterSequence: cursor.sequence },
      wake,
    );
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Resolves when no watcher is far behind, or `signal` aborts. A watcher that takes nothing for `ROOM_MS_MAX` is let go with
   * SLOW_CONSUMER.
   */
  async room(signal: AbortSignal): Promise<void> {
    const lags = new Map<Subscription, { lag: number; sinceMs: number }>();
    while (!signal.aborted) {
      const nowMs = this.#clock.steadyMs();
      const behind = [...this.#subscriptions].filter(({ lag }) => lag > LAG_MAX);
      if (behind.length === 0) return;
      for (const subscription of behind) {
        const seen = lags.get(subscription);
        if (seen === undefined || subscription.lag < seen.lag) {
          lags.set(subscription, { lag: subscription.lag, sinceMs: nowMs });
        } else if (nowMs - seen.sinceMs >= ROOM_MS_MAX) {
          subscription.fail(slowConsumer(subscription.lag));
          subscription.end();
        }
      }
      const oldestMs = Math.min(nowMs, ...behind.map((one) => lags.get(one)?.sinceMs ?? nowMs));
      await this.#progressWithin(Math.max(1, oldestMs + ROOM_MS_MAX - nowMs), signal);
    }
  }

  /** Events were lost on the way here: no watcher may go on as if nothing were missing. Each resumes, and is told. */
  interrupt(): void {
    for (const subscription of this.#subscriptions) subscription.fail(slowConsumer(subscription.lag));
  }

  freshnessNow(): FreshnessNow {
    const ageMs = this.#lastArrivalMs === undefined ? undefined : this.#clock.steadyMs() - this.#lastArrivalMs;
    return { freshness: this.#freshness, lastTimeMs: this.#lastTimeMs, ageMs };
  }

  /** Lets go of its timer. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #keep(event: PublishedEvent): void {
    const values = this.#indicators.snapshot(priceNumber(event.event));
    this.#events.push({ ...event, values, layout: this.#indicators.layout });
  }

  /** Another series begins: what its indicators have seen counts no more. */
  #begin(sourceId: string): void {
    this.#sourceId = sourceId;
    this.#indicators.reset();
    this.#candles.clear();
  }

  /** Index of the first kept event that the watcher has not seen; undefined: only new ones. */
  #resume({ sequence, afterTimeMs }: Cursor): { after: number | undefined; missed: boolean } {
    const { items } = this.#events;
    if (afterTimeMs === undefined && sequence <= 0) return { after: undefined, missed: false };
    const found =
      afterTimeMs === undefined
        ? items.findIndex((event) => event.sequence > sequence)
        : items.findIndex(({ event }) => event.timeMs > afterTimeMs);
    const oldest = items[0];
    // Sequences begin with 1: when the first that is kept is a later one, what was before is gone.
    const gone = oldest === undefined ? this.#headSequence > 0 : oldest.sequence > 1;
    const missed =
      afterTimeMs === undefined
        ? gone && sequence < Math.min(this.#headSequence, (oldest?.sequence ?? Infinity) - 1)
        : gone && (oldest === undefined || oldest.event.timeMs > afterTimeMs);
    return { after: found === -1 ? undefined : found, missed };
  }

  /** Values for events that were before, and computations that have seen everything up to now. */
  #catchUp(events: readonly PublishedEvent[], ids: readonly IndicatorId[]) {
    const [first] = events;
    if (ids.length === 0) {
      return { backlog: events.map((event): Item => ({ event, values: [] })), warmed: freshComputations([]) };
    }
    let sourceId = first?.sourceId ?? this.#sourceId;
    let computations = freshComputations(ids);
    const feed = (candle: PlacedCandle): void => {
      for (const computation of computations.values()) computation.update(candle.numbers, candle.closeTimeMs);
    };
    const before = first?.sequence ?? Number.POSITIVE_INFINITY;
    for (const candle of this.#candlesOf(sourceId)) if (candle.sequence < before) feed(candle);
    const backlog = events.map((event): Item => {
      if (event.sourceId !== sourceId) {
        sourceId = event.sourceId;
        computations = freshComputations(ids);
      }
      const candle = candleOf(event);
      if (candle !== undefined) feed(candle);
      return { event, values: valuesOf(ids, computations, priceNumber(event.event)) };
    });
    return { backlog, warmed: computations };
  }

  /** Of the running series from the list of candles, of one before from the events that are left of it. */
  #candlesOf(sourceId: string): readonly PlacedCandle[] {
    if (sourceId === this.#sourceId && this.#candles.items.length > 0) return this.#candles.items;
    return this.#events.items.flatMap((event) => (event.sourceId === sourceId ? (candleOf(event) ?? []) : []));
  }

  /** Looks how old the prices are, tells watchers of a change, and sets the timer for the next one. */
  #review(): void {
    const { ageMs } = this.freshnessNow();
    const { staleMs, blindMs } = this.#thresholds;
    const freshness = freshnessAt(ageMs, this.#thresholds);
    if (freshness !== this.#freshness) {
      this.#freshness = freshness;
      this.#freshnessChanges += 1;
      for (const subscription of this.#subscriptions) subscription.wake();
    }
    if (freshness === 'BLIND' || ageMs === undefined || this.#cancelTimer !== undefined) return;
    const dueMs = (freshness === 'FRESH' ? staleMs : blindMs) - ageMs;
    this.#cancelTimer = this.#clock.after(dueMs, () => {
      this.#cancelTimer = undefined;
      this.#review();
    });
  }

  #progressWithin(limitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        this.#progress = undefined;
        resolve();
      };
      const cancel = this.#clock.after(limitMs, done);
      signal.addEventListener('abort', done, { once: true });
      this.#progress = done;
    });
  }
}
