import type { MarketMoment, Step } from '../domain/instance.ts';
import type { Freshness } from '../domain/stored-instance.ts';
import { SymbolBook } from '../domain/symbol-book.ts';
import { HeldEvents } from './held-events.ts';
import type { OwnedInstance } from './owned-instance.ts';
import { type FeedSink, SymbolFeed, type SymbolFeedDependencies } from './symbol-feed.ts';

/** A market that is not heard for so long is stale, then blind. */
const SILENT_STALE_MS = 5_000;
const SILENT_BLIND_MS = 30_000;
/** A source whose events come within this of their own time runs by the clock; timers then fire by it, too. */
const LIVE_LAG_MS_MAX = 60_000;
/** How long an event may be on its way before a timer fires without it. */
const CLOCK_GRACE_MS = 2_000;

export interface SymbolDeskDependencies extends SymbolFeedDependencies {
  readonly told: (instance: OwnedInstance, step: Step) => void;
  readonly freshnessChanged: (instances: readonly OwnedInstance[], freshness: Freshness, atMs: number) => void;
}

/** All owned instances of one symbol of one account, with the stream that feeds them. */
export class SymbolDesk implements FeedSink {
  readonly book: SymbolBook<OwnedInstance>;
  readonly #deps: SymbolDeskDependencies;
  readonly #accountId: string;
  readonly #symbol: string;
  #feed: SymbolFeed | undefined;
  #slots = new Int32Array(0);
  #freshness: Freshness = '';
  #reopen: Promise<void> | undefined;
  /** When the stream was lost, by the clock; undefined while it is there. */
  #silentMs: number | undefined;
  #lagMs: number | undefined;
  /** The stream that is open is ahead of the book: what it brings has to come again. */
  #rewound = false;
  readonly #held = new HeldEvents();
  #draining = false;
  #stopped = false;

  constructor(deps: SymbolDeskDependencies, accountId: string, symbol: string) {
    this.#deps = deps;
    this.#accountId = accountId;
    this.#symbol = symbol;
    this.book = new SymbolBook((instance, step) => {
      this.#held.note(step.instance, deps.clock.steadyMs());
      deps.told(instance, step);
      this.#drainSoon();
    });
  }

  get freshness(): Freshness {
    return this.#freshness;
  }

  /** Takes an instance in; the stream is opened anew where it must bring more, or earlier events, than it does. */
  add(instance: OwnedInstance): void {
    const { book } = this;
    const { sequence, timeMs } = instance.through;
    if (sequence === 0 && !Number.isFinite(timeMs)) {
      // It begins with what comes from now on.
      instance.through = { sequence: book.at.sequence, timeMs: book.at.timeMs };
    } else if (isBehind(instance.through, book.at) || book.size === 0) {
      book.rewind(sequence, timeMs);
      this.#rewound = true;
      this.#reopenSoon();
    }
    book.add(instance);
    this.#held.note(instance.data, this.#deps.clock.steadyMs());
    if (this.#freshness !== '') this.#tellFreshness([instance]);
    this.interest();
  }

  /** Lets an instance go. */
  remove(instanceId: string): void {
    this.book.remove(instanceId);
    this.#held.forget(instanceId);
    this.#drainSoon();
  }

  /** Asks the market for what the instances look at by now. */
  interest(): void {
    for (const { strategy } of this.book.members()) for (const id of strategy.indicatorIds) this.book.slotOf(id);
    if (this.#feed === undefined || this.#feed.ids.length < this.book.indicatorIds.length) this.#reopenSoon();
  }

  /** Resolves with an empty text when the market feeds the desk, otherwise with the reason. */
  async answer(): Promise<string> {
    for (;;) {
      await this.#reopen;
      const feed = this.#feed;
      const answer = (await feed?.answer) ?? 'the instance is no longer run here';
      if (this.#stopped || (feed === this.#feed && this.#reopen === undefined)) return answer;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reopen;
    await this.#feed?.stop();
  }

  place(): { readonly sequence: number; readonly timeMs: number } {
    return this.book.at;
  }

  /** Until the first event, this is the place from which another owner would have to go on. */
  onStart(lastEventMs: number | undefined): void {
    if (this.book.at.sequence === 0 && !Number.isFinite(this.book.at.timeMs)) this.book.begin(lastEventMs ?? 0);
  }

  onEvent(moment: MarketMoment, values: readonly number[]): void {
    if (this.#rewound || moment.sequence <= Math.max(this.book.at.sequence, this.#held.newest)) return;
    const nowMs = this.#deps.clock.nowMs();
    this.#lagMs = nowMs - moment.timeMs;
    const waits = this.#held.size > 0 || (!this.#runsByClock && this.#held.holds(this.#deps.clock.steadyMs()));
    if (waits) {
      this.#held.push({ moment, slots: this.#slots, values });
      this.#drainSoon();
    } else this.book.event(moment, this.#slots, values);
  }

  onMissed(): void {
    this.#deps.logger.warn({ accountId: this.#accountId, symbol: this.#symbol }, 'events missed');
  }

  onConnected(connected: boolean): void {
    this.#silentMs = connected ? undefined : (this.#silentMs ?? this.#deps.clock.steadyMs());
  }

  onFreshness(freshness: Freshness): void {
    if (freshness === '' || freshness === this.#freshness) return;
    this.#freshness = freshness;
    this.book.fresh = freshness === 'FRESH';
    this.#tellFreshness(this.book.members());
  }

  /** Fires timers of a source that runs by the clock, and notices that the market is not heard. */
  tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    if (this.#silentMs !== undefined) {
      const silentMs = this.#deps.clock.steadyMs() - this.#silentMs;
      if (silentMs >= SILENT_BLIND_MS) this.onFreshness('BLIND');
      else if (silentMs >= SILENT_STALE_MS && this.#freshness !== 'BLIND') this.onFreshness('STALE');
      return;
    }
    this.#drainSoon();
    if (!this.#runsByClock || this.#lagMs === undefined) return;
    this.book.clock(nowMs - Math.max(0, this.#lagMs) - CLOCK_GRACE_MS);
  }

  get #runsByClock(): boolean {
    return this.#lagMs !== undefined && Math.abs(this.#lagMs) <= LIVE_LAG_MS_MAX;
  }

  /** Looks at what was held back as far as nothing holds it any more; after the step that is under way. */
  #drainSoon(): void {
    if (this.#draining || this.#held.size === 0) return;
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      while (!this.#stopped && !this.#held.holds(this.#deps.clock.steadyMs())) {
        const next = this.#held.shift();
        if (next === undefined) return;
        this.book.event(next.moment, next.slots, next.values);
      }
    });
  }

  #tellFreshness(instances: readonly OwnedInstance[]): void {
    const { timeMs } = this.book.at;
    this.#deps.freshnessChanged(
      instances,
      this.#freshness,
      Number.isFinite(timeMs) ? timeMs : this.#deps.clock.nowMs(),
    );
  }

  /** Instances that come together open the stream once. */
  #reopenSoon(): void {
    this.#reopen ??= this.#openAnew();
  }

  async #openAnew(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#feed?.stop();
    this.#reopen = undefined;
    if (this.#stopped) return;
    this.#rewound = false;
    // What waits is asked for again from where the book stands.
    this.#held.clear();
    const ids = [...this.book.indicatorIds];
    this.#slots = Int32Array.from(ids, (id) => this.book.slotOf(id));
    this.#feed = new SymbolFeed(this.#deps, this.#accountId, this.#symbol, ids, this);
  }
}

/** True when an instance has not looked at events that the book has passed. */
function isBehind(through: OwnedInstance['through'], at: MarketMoment): boolean {
  if (through.sequence > 0 && at.sequence > 0) return through.sequence < at.sequence;
  return !Number.isFinite(at.timeMs) || through.timeMs < at.timeMs;
}
