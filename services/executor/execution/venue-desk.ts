import { create } from '@bufbuild/protobuf';
import {
  type PriceBatch,
  type PriceInterest,
  PriceInterestSchema,
  type VenueEventsAcknowledged,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { VenueEvent } from '../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import type { Logger } from '../../platform/logger.ts';
import type { Adapter } from '../adapters/adapter.ts';

export interface VenueDeskOptions {
  readonly adapter: Adapter;
  readonly logger: Logger;
  readonly onFatal: (thrown: unknown) => void;
}

/** The one link that carries venue matters now. */
export interface VenueReader {
  /** The interest in prices when this link has not been told of it as it is now. */
  takeInterest(): PriceInterest | undefined;
  /** The next events that this link has not carried yet; empty when there are none or too many wait for their acknowledgement. */
  takeEvents(): VenueEvent[];
  close(): void;
}

const EVENTS_PER_FRAME_MAX = 100;
/** Events that may be on their way without an acknowledgement. */
const EVENTS_UNDER_WAY_MAX = 500;

interface OpenReader extends VenueReader {
  interestTold: boolean;
  sentNumber: bigint;
  readonly underWay: Set<bigint>;
  readonly wake: () => void;
}

/**
 * What platform and venue say to each other past the commands: prices in, events out. Events are told from the adapter's
 * disk, oldest first, by every new link anew until they are acknowledged.
 */
export class VenueDesk {
  readonly #options: VenueDeskOptions;
  #reader: OpenReader | undefined;
  #taking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: VenueDeskOptions) {
    this.#options = options;
  }

  /** Whether the adapter can use prices at all. */
  get takesPrices(): boolean {
    return this.#options.adapter.priceInterest !== undefined;
  }

  /** The symbols whose prices are wanted now, and from where. */
  interest(): PriceInterest {
    const wishes = this.#options.adapter.priceInterest?.() ?? [];
    return create(PriceInterestSchema, {
      symbols: wishes.map(({ symbol, afterSequence }) =>
        afterSequence === undefined ? { symbol } : { symbol, afterSequence },
      ),
    });
  }

  interestChanged(): void {
    if (this.#reader === undefined) return;
    this.#reader.interestTold = false;
    this.#reader.wake();
  }

  eventsWritten(): void {
    this.#reader?.wake();
  }

  /** Hands prices to the adapter, one batch after another. */
  takePrices({ prices, freshness, missedSymbols }: PriceBatch): void {
    const { adapter, logger, onFatal } = this.#options;
    this.#taking = this.#taking
      .then(() => (this.#closed ? undefined : adapter.takePrices?.({ prices, freshness, missedSymbols })))
      .catch((thrown: unknown) => {
        if (this.#closed) logger.warn({ err: thrown }, 'prices not taken, the agent has stopped');
        else onFatal(thrown);
      });
  }

  /** Resolves when the prices that have come in are taken. */
  settled(): Promise<void> {
    return this.#taking;
  }

  acknowledge({ journalId, numbers }: VenueEventsAcknowledged): void {
    const events = this.#options.adapter.venueEvents;
    if (events === undefined || events.journalId !== journalId || numbers.length === 0) return;
    events.acknowledge(numbers).catch((thrown: unknown) => {
      if (!this.#closed) this.#options.onFatal(thrown);
    });
    if (this.#reader === undefined) return;
    for (const number of numbers) this.#reader.underWay.delete(number);
    this.#reader.wake();
  }

  /** Opens the desk for a link; an older link carries nothing more. `wake` is called when there is something to take. */
  open(wake: () => void): VenueReader {
    const { adapter } = this.#options;
    const isCurrent = (): boolean => this.#reader === reader;
    const reader: OpenReader = {
      // A link that was never told of an interest takes it that there is none.
      interestTold: !this.takesPrices || this.interest().symbols.length === 0,
      sentNumber: 0n,
      underWay: new Set(),
      wake,
      takeInterest: () => {
        if (!isCurrent() || reader.interestTold) return undefined;
        reader.interestTold = true;
        return this.interest();
      },
      takeEvents: () => {
        const room = Math.min(EVENTS_PER_FRAME_MAX, EVENTS_UNDER_WAY_MAX - reader.underWay.size);
        if (!isCurrent() || room <= 0 || this.#closed) return [];
        const events = adapter.venueEvents?.read(reader.sentNumber, room) ?? [];
        for (const { number } of events) reader.underWay.add(number);
        reader.sentNumber = events.at(-1)?.number ?? reader.sentNumber;
        return events;
      },
      close: () => {
        if (isCurrent()) this.#reader = undefined;
      },
    };
    this.#reader = reader;
    return reader;
  }

  /** Nothing is taken or told any more; resolves when what was being taken is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#reader = undefined;
    await this.#taking;
  }
}
