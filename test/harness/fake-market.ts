import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { Freshness, type PriceEvent, PriceEventSchema } from '../../proto/gen/strategos/market/v1/market_pb.js';
import {
  MarketService,
  type WatchPricesRequest,
  type WatchPricesResponse,
  WatchPricesResponseSchema,
} from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { createGrpcServer, type GrpcServer } from '../../services/platform/grpc/server.ts';
import { grpcServerLimits } from '../../services/platform/grpc/server-limits.ts';
import { createLogger } from '../../services/platform/logger.ts';

const MINUTE_MS = 60_000;
const absent = (): never => {
  throw new ConnectError('not in this test', Code.Unimplemented);
};

/** A market whose candles a test makes one by one; it keeps all of them and forgets none. */
export class FakeMarket implements AsyncDisposable {
  /** Market time at which minute 0 closes. */
  static readonly startMs: number = Date.UTC(2024, 0, 1);
  readonly #server: GrpcServer;
  readonly #events = new Map<string, PriceEvent[]>();
  readonly #waiting = new Set<() => void>();
  #port = 0;
  /** Streams that are open now. */
  watches = 0;
  /** Requests so far, oldest first. */
  readonly requests: WatchPricesRequest[] = [];

  private constructor() {
    this.#server = createGrpcServer({
      host: '127.0.0.1',
      port: 0,
      logger: createLogger('market', 'silent'),
      limits: grpcServerLimits({ drainMs: 100 }),
    });
    this.#server.register(MarketService, {
      importDataset: absent,
      listDatasets: absent,
      readDataset: absent,
      startSource: absent,
      stopSource: absent,
      listSources: absent,
      listIndicators: absent,
      watchIndicators: absent,
      watchPrices: (request, context) => this.#watch(request, context.signal),
    });
  }

  static async start(): Promise<FakeMarket> {
    const market = new FakeMarket();
    market.#port = await market.#server.start();
    return market;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Market time at which a minute closes, milliseconds. */
  closeMs(minute: number): number {
    return FakeMarket.startMs + minute * MINUTE_MS;
  }

  /** Closes the next minute of the symbol, from 1, and returns its number. */
  candle(symbol: string, low: string, high: string, close: string): number {
    const events = this.#events.get(symbol) ?? [];
    this.#events.set(symbol, events);
    const minute = events.length + 1;
    const closeTime = timestampFromMs(this.closeMs(minute));
    const openTime = timestampFromMs(this.closeMs(minute - 1));
    events.push(
      create(PriceEventSchema, {
        symbol,
        sequence: BigInt(minute),
        time: closeTime,
        source: 'fake',
        event: { case: 'candle', value: { openTime, closeTime, open: close, high, low, close, volume: '1' } },
      }),
    );
    for (const wake of this.#waiting) wake();
    return minute;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }

  async *#watch(request: WatchPricesRequest, signal: AbortSignal): AsyncGenerator<WatchPricesResponse> {
    const [cursor] = request.symbols;
    if (cursor === undefined) throw new ConnectError('no symbol', Code.InvalidArgument);
    this.requests.push(request);
    const { symbol } = cursor;
    const all = (): readonly PriceEvent[] => this.#events.get(symbol) ?? [];
    let seen = cursor.sequence > 0n ? cursor.sequence : BigInt(all().length);
    this.watches += 1;
    try {
      yield create(WatchPricesResponseSchema, { freshness: [{ symbol, freshness: Freshness.FRESH }] });
      while (!signal.aborted) {
        const events = all().filter(({ sequence }) => sequence > seen);
        seen = events.at(-1)?.sequence ?? seen;
        if (events.length > 0) yield create(WatchPricesResponseSchema, { events });
        else await this.#change(signal);
      }
    } finally {
      this.watches -= 1;
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
