import type { Client } from '@connectrpc/connect';
import type { IndicatorUpdate } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { PriceEvent } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { envToConfig } from '../../services/market/config.ts';
import { type MarketSurroundings, startMarketService } from '../../services/market/service.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { Clients } from './clients.ts';
import { theServers } from './current-run.ts';

const TOKEN = 'market-test-token';

/** A replica of the market service in this process, and a client of it. */
export interface MarketReplica extends AsyncDisposable {
  readonly client: Client<typeof MarketService>;
  readonly url: string;
  /** Stops it as a process is stopped in good order. */
  stop(): Promise<void>;
}

/** Starts a replica on a database; `env` overrides its configuration. */
export async function startMarketReplica(
  databaseUrl: string,
  options: {
    readonly replicaId?: string;
    readonly accountId?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly surroundings?: MarketSurroundings;
  } = {},
): Promise<MarketReplica> {
  const { natsUrl } = await theServers();
  const config = envToConfig({
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    STRATEGOS_INTERNAL_TOKEN: TOKEN,
    STRATEGOS_MARKET_PORT: '0',
    STRATEGOS_REPLICA_ID: options.replicaId ?? 'market-0',
    STRATEGOS_POSTGRES_CONNECTIONS: '4',
    ...options.env,
  });
  const { service, port } = await startMarketService(config, createLogger('market', 'warn'), options.surroundings);
  const url = `http://127.0.0.1:${port}`;
  const clients = new Clients();
  const caller = { accountId: options.accountId ?? 'main', role: 'admin', subject: 'test' } as const;
  const stop = async (): Promise<void> => {
    clients[Symbol.dispose]();
    await service.stop();
  };
  return { client: clients.internal(MarketService, url, TOKEN, caller), url, stop, [Symbol.asyncDispose]: stop };
}

/** Candles as CSV, from `startMs` on, one a minute; closes as given. */
export function candlesCsv(closes: readonly number[], startMs = 1_700_000_040_000): string {
  const lines = closes.map((close, at) => {
    const open = closes[at - 1] ?? close;
    const [high, low] = [Math.max(open, close), Math.min(open, close)];
    return `${startMs + at * 60_000},${open},${high},${low},${close},${10 + (at % 7)}`;
  });
  return ['timestamp_ms,open,high,low,close,volume', ...lines].join('\n');
}

/** A series of closes that moves up and down. */
export function wavyCloses(count: number): number[] {
  return Array.from({ length: count }, (_, at) => Math.round((100 + 10 * Math.sin(at / 9) + (at % 5)) * 100) / 100);
}

/** Events of a watch of prices until there are `count`, or its end. */
export async function takePrices(
  watch: AsyncIterable<{ readonly events: PriceEvent[] }>,
  count: number,
): Promise<PriceEvent[]> {
  const events: PriceEvent[] = [];
  for await (const response of watch) {
    events.push(...response.events);
    if (events.length >= count) break;
  }
  return events;
}

/** Updates of a watch of indicators until there are `count`, or its end. */
export async function takeUpdates(
  watch: AsyncIterable<{ readonly updates: IndicatorUpdate[] }>,
  count: number,
): Promise<IndicatorUpdate[]> {
  const updates: IndicatorUpdate[] = [];
  for await (const response of watch) {
    updates.push(...response.updates);
    if (updates.length >= count) break;
  }
  return updates;
}
