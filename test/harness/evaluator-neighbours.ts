import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import type { Intent } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { Freshness, SourceSchema } from '../../proto/gen/strategos/market/v1/market_pb.js';
import {
  IndicatorCheckSchema,
  IndicatorUpdateSchema,
  ListIndicatorsResponseSchema,
  ListSourcesResponseSchema,
  MarketService,
  SymbolFreshnessSchema,
  type WatchIndicatorsRequest,
  type WatchIndicatorsResponse,
  WatchIndicatorsResponseSchema,
} from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import {
  ChangeType,
  type StrategyChange,
  StrategyChangeSchema,
  type StrategyDefinition,
  StrategySchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import {
  GetStrategyResponseSchema,
  StrategyService,
  type WatchChangesResponse,
  WatchChangesResponseSchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Secret } from '../../services/platform/config.ts';
import { internalAuthenticator } from '../../services/platform/grpc/caller.ts';
import { createGrpcServer } from '../../services/platform/grpc/server.ts';
import { grpcServerLimits } from '../../services/platform/grpc/server-limits.ts';
import { createLogger } from '../../services/platform/logger.ts';

interface MarketEvent {
  readonly sequence: number;
  readonly timeMs: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Wakes everybody who waits for news. */
class News {
  #waiting = new Set<() => void>();

  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** A market whose every event is made by the test. The price is the value of indicator `price`. */
export class ScriptedMarket {
  readonly sources = new Set<string>();
  readonly known = new Set(['price', 'pump_magnitude_pct', 'rsi_14']);
  readonly #events = new Map<string, MarketEvent[]>();
  readonly #freshness = new Map<string, Freshness>();
  readonly #news = new News();
  /** How many watches are open. */
  watching = 0;

  /** Makes the next event of a symbol. */
  event(symbol: string, timeMs: number, values: Readonly<Record<string, number>>): number {
    const events = this.#events.get(symbol) ?? [];
    this.#events.set(symbol, events);
    const sequence = events.push({ sequence: events.length + 1, timeMs, values });
    this.#news.tell();
    return sequence;
  }

  freshness(symbol: string, freshness: Freshness): void {
    this.#freshness.set(symbol, freshness);
    this.#news.tell();
  }

  handlers() {
    return {
      listSources: ({ symbol }: { symbol: string }) =>
        create(ListSourcesResponseSchema, {
          sources: this.sources.has(symbol) ? [create(SourceSchema, { id: symbol, symbol })] : [],
        }),
      listIndicators: ({ ids }: { ids: string[] }) =>
        create(ListIndicatorsResponseSchema, {
          checks: ids.map((id) =>
            create(IndicatorCheckSchema, {
              id,
              normalisedId: this.known.has(id) ? id : '',
              fault: this.known.has(id) ? '' : 'known are price, pump_magnitude_pct, rsi_14',
            }),
          ),
        }),
      watchIndicators: (request: WatchIndicatorsRequest, context: HandlerContext) =>
        this.#watch(request, context.signal),
    };
  }

  #freshnessOf(symbol: string, freshness: Freshness) {
    const last = this.#events.get(symbol)?.at(-1);
    const lastEventTime = last === undefined ? {} : { lastEventTime: timestampFromMs(last.timeMs) };
    return create(SymbolFreshnessSchema, { symbol, freshness, ...lastEventTime });
  }

  async *#watch(request: WatchIndicatorsRequest, signal: AbortSignal): AsyncGenerator<WatchIndicatorsResponse> {
    const [interest] = request.interests;
    const symbol = interest?.cursor?.symbol ?? '';
    const from = Number(interest?.cursor?.sequence ?? 0n);
    const known = this.#events.get(symbol) ?? [];
    const afterTime = interest?.cursor?.afterTime;
    let sequence = from > 0 ? from : known.length;
    if (from === 0 && afterTime !== undefined) {
      const first = known.findIndex(({ timeMs }) => timeMs > timestampMs(afterTime));
      sequence = first < 0 ? known.length : first;
    }
    let told: Freshness | undefined;
    this.watching += 1;
    try {
      while (!signal.aborted) {
        const news = this.#news.next(signal);
        const freshness = this.#freshness.get(symbol) ?? Freshness.FRESH;
        if (freshness !== told) {
          told = freshness;
          yield create(WatchIndicatorsResponseSchema, {
            freshness: [this.#freshnessOf(symbol, freshness)],
          });
        }
        const updates = (this.#events.get(symbol) ?? []).slice(sequence).map((event) =>
          create(IndicatorUpdateSchema, {
            symbol,
            sequence: BigInt(event.sequence),
            time: timestampFromMs(event.timeMs),
            price: String(event.values['price'] ?? 0),
            values: (interest?.indicatorIds ?? []).map((id) => event.values[id] ?? Number.NaN),
          }),
        );
        sequence += updates.length;
        if (updates.length > 0) yield create(WatchIndicatorsResponseSchema, { updates });
        await news;
      }
    } finally {
      this.watching -= 1;
    }
  }
}

/** Strategies of one account, changed by the test. */
export class ScriptedStrategies {
  readonly accountId: string;
  readonly changes: StrategyChange[] = [];
  readonly #news = new News();

  constructor(accountId: string) {
    this.accountId = accountId;
  }

  get revision(): number {
    return this.changes.length;
  }

  get digest(): string {
    return this.changes.at(-1)?.digest ?? createHash('sha256').digest('hex');
  }

  /** Saves a revision and returns it, without telling anybody but those who follow the log. */
  save(id: string, definition: StrategyDefinition, type = ChangeType.UPDATED): StrategyChange {
    const revision = BigInt(this.changes.length + 1);
    const live = new Map<string, bigint>();
    for (const { strategy, type: was } of this.changes) {
      if (was === ChangeType.DELETED) live.delete(strategy?.id ?? '');
      else live.set(strategy?.id ?? '', strategy?.revision ?? 0n);
    }
    if (type === ChangeType.DELETED) live.delete(id);
    else live.set(id, revision);
    const hash = createHash('sha256');
    for (const each of [...live.keys()].toSorted()) hash.update(`${each}:${live.get(each)}\n`);
    const change = create(StrategyChangeSchema, {
      accountId: this.accountId,
      revision,
      type,
      strategy: create(StrategySchema, { id, revision, definition }),
      digest: hash.digest('hex'),
    });
    this.changes.push(change);
    this.#news.tell();
    return change;
  }

  handlers() {
    return {
      getStrategy: ({ strategy: id, revision }: { strategy: string; revision: bigint }) => {
        const upTo = this.changes.filter(
          ({ strategy, revision: at }) => strategy?.id === id && (revision === 0n || at <= revision),
        );
        const strategy = upTo.at(-1)?.strategy;
        if (strategy === undefined) throw new ConnectError(`no strategy "${id}" in this account`, Code.NotFound);
        return create(GetStrategyResponseSchema, { strategy });
      },
      watchChanges: ({ sinceRevision }: { sinceRevision: bigint }, context: HandlerContext) =>
        this.#watch(Number(sinceRevision), context.signal),
    };
  }

  async *#watch(since: number, signal: AbortSignal): AsyncGenerator<WatchChangesResponse> {
    let applied = since;
    while (!signal.aborted) {
      const news = this.#news.next(signal);
      for (const change of this.changes.slice(applied)) yield create(WatchChangesResponseSchema, { change });
      applied = this.changes.length;
      yield create(WatchChangesResponseSchema, { revision: BigInt(applied), digest: this.digest });
      await news;
    }
  }
}

/** A session service that only listens: intents once each, in the order in which they first came. */
export class ListeningSession {
  readonly intents: Intent[] = [];
  /** How often intents were handed over, repeats included. */
  handed = 0;
  /** While true, nothing is taken. */
  away = false;

  handlers() {
    return {
      submitIntents: ({ intents }: { intents: Intent[] }) => {
        if (this.away) throw new ConnectError('away for the moment', Code.Unavailable);
        for (const intent of intents) {
          this.handed += 1;
          if (!this.intents.some(({ id }) => id === intent.id)) this.intents.push(intent);
        }
        return {};
      },
    };
  }
}

export interface Neighbourhood extends AsyncDisposable {
  readonly url: string;
  readonly market: ScriptedMarket;
  readonly strategies: ScriptedStrategies;
  readonly session: ListeningSession;
}

/** Serves scripted market, strategy and session services on one port. */
export async function startNeighbourhood(accountId: string, internalToken: string): Promise<Neighbourhood> {
  const market = new ScriptedMarket();
  const strategies = new ScriptedStrategies(accountId);
  const session = new ListeningSession();
  const server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    logger: createLogger('neighbours', 'silent'),
    limits: grpcServerLimits(),
    authenticate: internalAuthenticator(new Secret(internalToken)),
  });
  server.register(MarketService, market.handlers());
  server.register(StrategyService, strategies.handlers());
  server.register(SessionService, session.handlers());
  const port = await server.start();
  return {
    url: `http://127.0.0.1:${port}`,
    market,
    strategies,
    session,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
