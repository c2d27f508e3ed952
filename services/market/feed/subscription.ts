import type { FreshnessNow } from '../domain/freshness.ts';
import type { PublishedEvent } from '../domain/published-event.ts';
import { StatusError } from '../../platform/errors.ts';
import type { IndicatorId } from '../indicators/indicator-id.ts';
import type { Layout } from '../indicators/shared-indicators.ts';
import type { KeptList } from './kept-events.ts';

/** An event with the values of everything that was watched when it came. */
export interface KeptEvent extends PublishedEvent {
  readonly values: Float64Array | undefined;
  readonly layout: Layout;
}

/** An event as a watcher gets it: with values in the order of its ids, none for a watcher of prices. */
export interface Item {
  readonly event: PublishedEvent;
  readonly values: readonly number[];
}

export interface SubscriptionStart {
  readonly ids: readonly IndicatorId[];
  /** Items from before the first live one, oldest first. */
  readonly backlog: readonly Item[];
  /** Whether events are no longer kept that the cursor asked for. */
  readonly missed: boolean;
  /** What the watcher has seen; a source that repeats itself after a restart does not repeat it to the watcher. */
  readonly afterSequence: number;
}

/** What a subscription needs of its market. */
export interface SubscriptionMarket {
  readonly events: KeptList<KeptEvent>;
  readonly freshnessNow: () => FreshnessNow;
  readonly freshnessChanges: () => number;
  readonly onRead: () => void;
  readonly onEnd: (subscription: Subscription) => void;
}

/**
 * One watcher's place in a symbol's events. Nothing is queued for it: it reads on where it stands, and one that falls behind
 * what is kept ends with SLOW_CONSUMER.
 */
export class Subscription {
  readonly missed: boolean;
  readonly ids: readonly IndicatorId[];
  readonly #market: SubscriptionMarket;
  readonly #wake: () => void;
  #backlog: readonly Item[];
  readonly #afterSequence: number;
  #place: number;
  #freshnessSeen = -1;
  #failure: StatusError | undefined;
  #ended = false;
  #layout: Layout | undefined;
  #places: readonly number[] = [];

  constructor(market: SubscriptionMarket, start: SubscriptionStart, wake: () => void) {
    this.#market = market;
    this.#wake = wake;
    this.#backlog = start.backlog;
    this.#place = market.events.end;
    this.missed = start.missed;
    this.ids = start.ids;
    this.#afterSequence = start.afterSequence;
  }

  /** Events that wait for the watcher. */
  get lag(): number {
    return this.#ended ? 0 : this.#backlog.length + this.#market.events.end - this.#place;
  }

  /** Called when there is something to read. */
  wake(): void {
    this.#wake();
  }

  /** The next read throws. */
  fail(error: StatusError): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Takes up to `itemsMax` items. @throws RESOURCE_EXHAUSTED (SLOW_CONSUMER) for a watcher that has fallen behind too far. */
  read(itemsMax: number): readonly Item[] {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#backlog.length > 0) {
      const items = this.#backlog.slice(0, itemsMax);
      this.#backlog = this.#backlog.slice(itemsMax);
      this.#market.onRead();
      return items;
    }
    const { events } = this.#market;
    if (this.#place < events.first) throw slowConsumer(this.lag);
    const found = events.from(this.#place, itemsMax);
    if (found.length === 0) return [];
    this.#place += found.length;
    this.#market.onRead();
    return found
      .filter(({ sequence }) => sequence > this.#afterSequence)
      .map((event) => ({ event, values: this.#valuesOf(event) }));
  }

  /** The freshness when it is not the one that was given last. */
  readFreshness(): FreshnessNow | undefined {
    const changes = this.#market.freshnessChanges();
    if (changes === this.#freshnessSeen) return undefined;
    this.#freshnessSeen = changes;
    return this.#market.freshnessNow();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#backlog = [];
    this.#market.onEnd(this);
  }

  #valuesOf({ values, layout }: KeptEvent): readonly number[] {
    if (this.ids.length === 0) return [];
    if (layout !== this.#layout) {
      this.#layout = layout;
      this.#places = this.ids.map(({ normalisedId }) => layout.get(normalisedId) ?? -1);
    }
    return this.#places.map((place) => values?.[place] ?? Number.NaN);
  }
}

/** Why a watcher that does not keep up is let go. */
export function slowConsumer(waiting: number): StatusError {
  return new StatusError(
    'ResourceExhausted',
    'SLOW_CONSUMER',
    `${waiting} events waited for this reader; resume with the last sequence that was handled`,
    { metadata: { buffered: String(waiting) } },
  );
}
