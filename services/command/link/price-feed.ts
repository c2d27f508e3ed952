import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type Price,
  type PriceBatch,
  PriceBatchSchema,
  PriceState,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type {
  SymbolCursorSchema,
  WatchPricesResponse,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import { freshnessOf, priceOf } from './price-frames.ts';

export type PriceFrame = PriceBatch;
export type PriceCursor = MessageInitShape<typeof SymbolCursorSchema>;

/** From where a follower wants prices: after a sequence, else from a market time on, else only new ones. */
export interface PriceStart {
  readonly afterSequence?: bigint;
  readonly fromMs?: number;
}

/** Watches one symbol's prices for an account; ends by throwing, or when `signal` aborts. */
export type WatchPrices = (
  accountId: string,
  cursor: PriceCursor,
  signal: AbortSignal,
) => AsyncIterable<WatchPricesResponse>;

export interface PriceFeedDependencies {
  readonly watch: WatchPrices;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Sink = (frame: PriceFrame) => void;

/** Prices that are kept for agents that come later or come back. */
const PRICES_KEPT_MAX = 2_000;
const PRICES_PER_FRAME_MAX = 200;
const RETRY = { firstMs: 100, maxMs: 5_000 } as const;

/**
 * Prices for agents: a client of the market service with one subscription an account and symbol, whatever number of links
 * share it. Each link gets every price from where it asks on, in order.
 */
export class PriceFeed {
  readonly #deps: PriceFeedDependencies;
  readonly #symbols = new Map<string, SymbolFeed>();

  constructor(deps: PriceFeedDependencies) {
    this.#deps = deps;
  }

  /**
   * Sends the symbol's prices from `start` on until the returned function is called. `sink` must not throw.
   */
  follow(accountId: string, symbol: string, start: PriceStart, sink: Sink): () => void {
    const key = JSON.stringify([accountId, symbol]);
    let feed = this.#symbols.get(key);
    if (feed === undefined) {
      feed = new SymbolFeed(this.#deps, accountId, symbol, start);
      this.#symbols.set(key, feed);
    }
    const own = feed;
    const end = own.add(start, sink);
    return () => {
      end();
      if (own.followers > 0) return;
      own.close();
      if (this.#symbols.get(key) === own) this.#symbols.delete(key);
    };
  }

  close(): void {
    for (const feed of this.#symbols.values()) feed.close();
    this.#symbols.clear();
  }
}

/** One symbol: the shared stream, what it brought lately, and the streams of those who have to catch up with it. */
class SymbolFeed {
  readonly #deps: PriceFeedDependencies;
  readonly #accountId: string;
  readonly #symbol: string;
  readonly #closed = new AbortController();
  readonly #sinks = new Set<Sink>();
  readonly #catchingUp = new Map<Sink, AbortController>();
  readonly #start: PriceStart;
  #kept: Price[] = [];
  /** All prices after this sequence are kept; undefined before the first, when none was asked for by its sequence. */
  #keptAfter: bigint | undefined;
  #freshness: PriceFrame;

  constructor(deps: PriceFeedDependencies, accountId: string, symbol: string, start: PriceStart) {
    this.#deps = deps;
    this.#accountId = accountId;
    this.#symbol = symbol;
    this.#start = start;
    this.#keptAfter = start.afterSequence;
    this.#freshness = blindFrame(symbol);
    this.#watch(start, this.#closed.signal, (response, prices) => this.#shared(response, prices));
  }

  get followers(): number {
    return this.#sinks.size + this.#catchingUp.size;
  }

  add(start: PriceStart, sink: Sink): () => void {
    const { afterSequence, fromMs } = start;
    // The first follower is who the shared stream was opened for.
    if (start === this.#start || (afterSequence === undefined && fromMs === undefined)) this.#attach(sink, []);
    else if (afterSequence !== undefined && this.#keptAfter !== undefined && afterSequence >= this.#keptAfter) {
      this.#attach(
        sink,
        this.#kept.filter((price) => price.sequence > afterSequence),
      );
    } else this.#catchUp(start, sink);
    return () => {
      this.#sinks.delete(sink);
      this.#catchingUp.get(sink)?.abort();
      this.#catchingUp.delete(sink);
    };
  }

  close(): void {
    this.#closed.abort();
    for (const controller of this.#catchingUp.values()) controller.abort();
    this.#sinks.clear();
  }

  #attach(sink: Sink, first: readonly Price[]): void {
    this.#sinks.add(sink);
    sendPrices(sink, first);
    sink(this.#freshness);
  }

  /** Brings a follower who wants more than is kept to where the others are, by a stream of its own. */
  #catchUp(start: PriceStart, sink: Sink): void {
    const controller = new AbortController();
    this.#catchingUp.set(sink, controller);
    this.#watch(start, AbortSignal.any([controller.signal, this.#closed.signal]), (response, prices) => {
      if (controller.signal.aborted) return;
      tell([sink], response, prices);
      const last = prices.at(-1);
      if (last === undefined) return;
      const at = this.#kept.findLastIndex((price) => price.sequence === last.sequence);
      if (at === -1) return;
      controller.abort();
      this.#catchingUp.delete(sink);
      this.#attach(sink, this.#kept.slice(at + 1));
    });
  }

  #shared(response: WatchPricesResponse, prices: readonly Price[]): void {
    const [first] = prices;
    if (first !== undefined) this.#keptAfter ??= first.sequence - 1n;
    this.#kept.push(...prices);
    const gone = this.#kept.splice(0, Math.max(0, this.#kept.length - PRICES_KEPT_MAX)).at(-1);
    if (gone !== undefined) this.#keptAfter = gone.sequence;
    // Prices that the market no longer has are missing here as well.
    if (response.missedSymbols.length > 0 && first !== undefined) this.#keptAfter = first.sequence - 1n;
    if (response.freshness.length > 0) {
      this.#freshness = create(PriceBatchSchema, { freshness: response.freshness.map(freshnessOf) });
    }
    tell(this.#sinks, response, prices);
  }

  #watch(
    start: PriceStart,
    signal: AbortSignal,
    take: (response: WatchPricesResponse, prices: readonly Price[]) => void,
  ): void {
    this.#watchForEver(start, signal, take).catch((thrown: unknown) =>
      this.#deps.logger.error({ err: thrown, symbol: this.#symbol }, 'following prices failed'),
    );
  }

  /** Remakes the stream whenever it ends, from the last price on. */
  async #watchForEver(
    start: PriceStart,
    signal: AbortSignal,
    take: (response: WatchPricesResponse, prices: readonly Price[]) => void,
  ): Promise<void> {
    let lastSequence = start.afterSequence;
    for (let failures = 0; !signal.aborted; ) {
      try {
        for await (const response of this.#deps.watch(this.#accountId, this.#cursor(start, lastSequence), signal)) {
          if (signal.aborted) return;
          failures = 0;
          const prices = unseen(response, lastSequence);
          lastSequence = prices.at(-1)?.sequence ?? lastSequence;
          take(response, prices);
        }
      } catch (thrown) {
        if (signal.aborted) return;
        const level = failures === 0 ? 'warn' : 'debug';
        this.#deps.logger[level]({ symbol: this.#symbol, reason: messageOf(thrown) }, 'price stream lost');
      }
      failures += 1;
      this.#blind();
      await pause(this.#deps.clock, backoffMs(failures, RETRY), signal);
    }
  }

  #cursor({ fromMs }: PriceStart, lastSequence: bigint | undefined): PriceCursor {
    const symbol = this.#symbol;
    if (lastSequence !== undefined) return { symbol, sequence: lastSequence };
    return fromMs === undefined ? { symbol } : { symbol, afterTime: timestampFromMs(fromMs - 1) };
  }

  #blind(): void {
    this.#freshness = blindFrame(this.#symbol);
    for (const sink of this.#sinks) sink(this.#freshness);
  }
}

/** Says that no prices of the symbol can be had for now. */
export function blindFrame(symbol: string): PriceFrame {
  return create(PriceBatchSchema, { freshness: [{ symbol, state: PriceState.BLIND }] });
}

/** The response's prices without those that an earlier stream brought already. */
function unseen(response: WatchPricesResponse, lastSequence: bigint | undefined): Price[] {
  return response.events.flatMap((event) => {
    const price = lastSequence !== undefined && event.sequence <= lastSequence ? undefined : priceOf(event);
    return price === undefined ? [] : [price];
  });
}

function tell(sinks: Iterable<Sink>, response: WatchPricesResponse, prices: readonly Price[]): void {
  const { freshness, missedSymbols } = response;
  const facts =
    freshness.length + missedSymbols.length === 0
      ? undefined
      : create(PriceBatchSchema, { freshness: freshness.map(freshnessOf), missedSymbols });
  for (const sink of sinks) {
    if (facts !== undefined) sink(facts);
    sendPrices(sink, prices);
  }
}

function sendPrices(sink: Sink, prices: readonly Price[]): void {
  for (let at = 0; at < prices.length; at += PRICES_PER_FRAME_MAX) {
    sink(create(PriceBatchSchema, { prices: prices.slice(at, at + PRICES_PER_FRAME_MAX) }));
  }
}
