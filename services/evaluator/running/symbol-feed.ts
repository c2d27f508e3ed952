import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { Freshness as FreshnessMessage } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import type { MarketMoment } from '../domain/instance.ts';
import type { Freshness } from '../domain/stored-instance.ts';
import type { Neighbours } from '../upstream/neighbours.ts';

const RETRY = { firstMs: 50, maxMs: 1_000 } as const;

export interface SymbolFeedDependencies {
  readonly neighbours: Neighbours;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where the events of a symbol go. */
export interface FeedSink {
  /** `values` are in the order of the ids that the feed was opened with. */
  onEvent(moment: MarketMoment, values: readonly number[]): void;
  onFreshness(freshness: Freshness): void;
  /** Events were asked for that are no longer kept. */
  onMissed(): void;
  /** The stream is there, or has been lost. */
  onConnected(connected: boolean): void;
  /** The market has answered: the newest event before anything that it will bring, undefined when there was none ever. */
  onStart(lastEventMs: number | undefined): void;
  /** The last event that was taken in; sequence 0: by time, or without a time only new ones are wanted. */
  place(): { readonly sequence: number; readonly timeMs: number };
}

/** The indicators of one symbol, read on from where the sink is whenever the stream is lost. */
export class SymbolFeed {
  readonly #deps: SymbolFeedDependencies;
  readonly #accountId: string;
  readonly #symbol: string;
  readonly #ids: readonly string[];
  readonly #sink: FeedSink;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #answered: (fault: string) => void = () => undefined;
  /** Empty when the market has answered; otherwise why it refuses. */
  readonly answer: Promise<string>;

  constructor(deps: SymbolFeedDependencies, accountId: string, symbol: string, ids: readonly string[], sink: FeedSink) {
    this.#deps = deps;
    this.#accountId = accountId;
    this.#symbol = symbol;
    this.#ids = ids;
    this.#sink = sink;
    this.answer = new Promise((resolve) => {
      this.#answered = resolve;
    });
    this.#done = this.#follow();
  }

  get ids(): readonly string[] {
    return this.#ids;
  }

  /** Nothing reaches the sink after this was called. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#answered('the instance is no longer run here');
    await this.#done;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; ) {
      try {
        await this.#read(() => {
          attempt = 0;
        });
      } catch (thrown) {
        if (signal.aborted) return;
        const { logger } = this.#deps;
        if (attempt === 0) logger.warn({ symbol: this.#symbol, reason: messageOf(thrown) }, 'indicators not received');
        attempt += 1;
        if (thrown instanceof ConnectError && thrown.code === Code.InvalidArgument) this.#answered(thrown.rawMessage);
      }
      if (signal.aborted) return;
      this.#sink.onConnected(false);
      await pause(this.#deps.clock, backoffMs(Math.max(1, attempt), RETRY), this.#stop.signal);
    }
  }

  async #read(alive: () => void): Promise<void> {
    const { neighbours } = this.#deps;
    const { sequence: from, timeMs } = this.#sink.place();
    const byTime = from === 0 && Number.isFinite(timeMs) ? { afterTime: timestampFromMs(timeMs) } : {};
    const cursor = { symbol: this.#symbol, sequence: BigInt(from), ...byTime };
    const request = { interests: [{ cursor, indicatorIds: [...this.#ids] }] };
    const { signal } = this.#stop;
    for await (const response of neighbours.market.watchIndicators(request, neighbours.as(this.#accountId, signal))) {
      if (signal.aborted) return;
      alive();
      this.#sink.onConnected(true);
      for (const { symbol, freshness, lastEventTime } of response.freshness) {
        if (symbol !== this.#symbol) continue;
        this.#sink.onStart(lastEventTime === undefined ? undefined : timestampMs(lastEventTime));
        this.#sink.onFreshness(FRESHNESS[freshness]);
      }
      this.#answered('');
      if (response.missedSymbols.includes(this.#symbol)) this.#sink.onMissed();
      for (const update of response.updates) {
        const sequence = Number(update.sequence);
        if (update.symbol !== this.#symbol || update.time === undefined) continue;
        this.#sink.onEvent({ sequence, timeMs: timestampMs(update.time), price: update.price }, update.values);
      }
    }
  }
}

const FRESHNESS: Readonly<Record<FreshnessMessage, Freshness>> = {
  [FreshnessMessage.UNSPECIFIED]: '',
  [FreshnessMessage.FRESH]: 'FRESH',
  [FreshnessMessage.STALE]: 'STALE',
  [FreshnessMessage.BLIND]: 'BLIND',
};
