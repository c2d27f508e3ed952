import { create, toBinary } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type ConnectResponse,
  type PriceInterest,
  type VenueEventBatch,
  VenueEventsAcknowledgedSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type VenueEvent, VenueEventSchema } from '../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { NewVenueEvent, VenueBook } from '../domain/venue-book.ts';
import { FieldChecks } from '../wire/field-checks.ts';
import { checkInterest, checkVenueEvents } from '../wire/interest-checks.ts';
import { blindFrame, type PriceFeed, type PriceFrame, type PriceStart } from './price-feed.ts';

const JOURNAL_ID_CHARS_MAX = 64;
/** A fill and some names; what is larger is none of ours. */
const EVENT_BYTES_MAX = 32_768;
/** Events that one link may have under way to the database. */
const EVENTS_UNSTORED_MAX = 2_000;
const STORE_RETRY = { firstMs: 250, maxMs: 5_000 } as const;

/** What the venue side of every link shares. */
export interface VenueDependencies {
  readonly book: Pick<VenueBook, 'store'>;
  /** Undefined: this platform has no market service. */
  readonly feed: PriceFeed | undefined;
  /** Called after new events of the account are durable. */
  readonly stored: (accountId: string) => void;
}

/** The link that a channel speaks through. */
export interface VenueLink {
  readonly accountId: string;
  readonly executorId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isOpen: () => boolean;
  readonly send: (frame: ConnectResponse['frame']) => void;
  readonly violate: (expected: string, detail: string) => void;
}

/** Which events of a journal are durable. */
export interface StoredNumbers {
  readonly journalId: string;
  readonly numbers: bigint[];
}

/** One agent's link as far as its venue is concerned: prices go out, what happened comes in and is acknowledged when durable. */
export class VenueChannel {
  readonly #deps: VenueDependencies;
  readonly #link: VenueLink;
  /** Ends of the subscriptions by symbol. */
  readonly #prices = new Map<string, () => void>();
  /** Newest price of each symbol that an answer to a poll has carried. */
  readonly #handed = new Map<string, bigint>();
  #unstored = 0;
  #stores: Promise<unknown> = Promise.resolve();

  constructor(deps: VenueDependencies, link: VenueLink) {
    this.#deps = deps;
    this.#link = link;
  }

  /** Replaces the symbols of which the agent wants prices; those that stay go on undisturbed. `takesPrices`: by its Hello. */
  takeInterest(interest: PriceInterest, takesPrices = true): void {
    if (!this.#link.isOpen()) return;
    if (this.#refuses((checks) => checkInterest(checks.within('price_interest'), interest))) return;
    if (!takesPrices) {
      this.#link.violate('takes_prices in the hello', 'a price interest came');
      return;
    }
    const wanted = new Map(
      interest.symbols.map(({ symbol, fromTime, afterSequence }): [string, PriceStart] => [
        symbol.toUpperCase(),
        {
          ...(afterSequence > 0n ? { afterSequence } : {}),
          ...(fromTime === undefined ? {} : { fromMs: timestampMs(fromTime) }),
        },
      ]),
    );
    for (const [symbol, end] of this.#prices) {
      if (wanted.has(symbol)) continue;
      end();
      this.#prices.delete(symbol);
      this.#handed.delete(symbol);
    }
    const added = [...wanted].filter(([symbol]) => !this.#prices.has(symbol));
    for (const [symbol, start] of added) this.#follow(symbol, start);
  }

  /**
   * Stores events, those of earlier calls first. Resolves with what is durable: nothing when the link ended before the
   * database was there.
   */
  async takeEvents(batch: VenueEventBatch): Promise<StoredNumbers[]> {
    if (this.#refuses((checks) => checkVenueEvents(checks.within('venue_events'), batch))) return [];
    const events = batch.events.map((event) => this.#readable(event)).filter((event) => event !== undefined);
    this.#unstored += events.length;
    if (this.#unstored > EVENTS_UNSTORED_MAX) {
      this.#link.violate(
        `at most ${EVENTS_UNSTORED_MAX} venue events without an acknowledgement`,
        `${this.#unstored} venue events wait to be stored`,
      );
      return [];
    }
    const stored = this.#stores.then(() => this.#store(events));
    this.#stores = stored;
    return (await stored) ? numbersOf(events) : [];
  }

  /** As `takeEvents`, with the acknowledgement as frames. */
  acknowledgeEvents(batch: VenueEventBatch): void {
    this.#acknowledge(batch).catch((thrown: unknown) =>
      this.#link.logger.error({ err: thrown }, 'venue events not taken'),
    );
  }

  /** Notes what the answer to a poll carries. */
  noteHanded(frames: readonly ConnectResponse[]): void {
    for (const { frame } of frames) {
      if (frame.case !== 'prices') continue;
      for (const { symbol, sequence } of frame.value.prices) this.#handed.set(symbol.toUpperCase(), sequence);
    }
  }

  /** Whether the agent has not got prices that an earlier answer carried: that answer was lost on its way. */
  hasLostAnswer({ symbols }: PriceInterest): boolean {
    return symbols.some(({ symbol, afterSequence }) => afterSequence < (this.#handed.get(symbol.toUpperCase()) ?? 0n));
  }

  close(): void {
    for (const end of this.#prices.values()) end();
    this.#prices.clear();
  }

  /** Ends the link with what is wrong in a frame. */
  #refuses(check: (checks: FieldChecks) => void): boolean {
    const checks = new FieldChecks();
    check(checks);
    const [first] = checks.violations;
    if (first !== undefined) this.#link.violate(`a usable ${first.field}`, `${first.field} ${first.description}`);
    return first !== undefined;
  }

  async #acknowledge(batch: VenueEventBatch): Promise<void> {
    for (const stored of await this.takeEvents(batch)) {
      this.#link.send({ case: 'venueEventsAcknowledged', value: create(VenueEventsAcknowledgedSchema, stored) });
    }
  }

  #follow(symbol: string, start: PriceStart): void {
    const send = (prices: PriceFrame): void => this.#link.send({ case: 'prices', value: prices });
    const { feed } = this.#deps;
    if (feed !== undefined) {
      const end = feed.follow(this.#link.accountId, symbol, start, send);
      // What was sent at once may have been too much for the link.
      if (this.#link.isOpen()) this.#prices.set(symbol, end);
      else end();
    } else {
      this.#prices.set(symbol, () => undefined);
      send(blindFrame(symbol));
    }
  }

  /** Tries until the events are durable or the link is over; whether they are. Never rejects. */
  async #store(events: readonly NewVenueEvent[]): Promise<boolean> {
    const { accountId, executorId, clock, logger } = this.#link;
    try {
      for (let attempt = 1; this.#link.isOpen() && events.length > 0; attempt++) {
        try {
          if ((await this.#deps.book.store(accountId, executorId, events)) > 0) this.#deps.stored(accountId);
          return true;
        } catch (thrown) {
          logger.warn({ err: thrown, attempt }, 'venue events not stored, trying again');
          await new Promise<void>((resolve) => clock.after(backoffMs(attempt, STORE_RETRY), resolve));
        }
      }
      return events.length === 0;
    } finally {
      this.#unstored -= events.length;
    }
  }

  /** Undefined for what cannot be told apart from another event: nobody could acknowledge it either. */
  #readable(event: VenueEvent): NewVenueEvent | undefined {
    const { journalId, number } = event;
    const identified =
      journalId !== '' && journalId.length <= JOURNAL_ID_CHARS_MAX && !journalId.includes('\0') && number > 0n;
    if (!identified || number > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#link.logger.warn({ number: String(number) }, 'venue event without a usable identity ignored');
      return undefined;
    }
    let bytes = toBinary(VenueEventSchema, event);
    if (bytes.length > EVENT_BYTES_MAX) {
      this.#link.logger.warn({ number: String(number), bytes: bytes.length }, 'venue event too large, stored empty');
      bytes = toBinary(VenueEventSchema, { $typeName: event.$typeName, ...EMPTY, journalId, number });
    }
    return { journalId, number: Number(number), event: bytes };
  }
}

const EMPTY = { sessionId: '', strategyId: '', symbol: '', openCommandId: '', event: { case: undefined } } as const;

function numbersOf(events: readonly NewVenueEvent[]): StoredNumbers[] {
  const byJournal = Map.groupBy(events, (event) => event.journalId);
  return [...byJournal].map(([journalId, own]) => ({ journalId, numbers: own.map(({ number }) => BigInt(number)) }));
}
