import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { type Clock, systemClock } from '../platform/clock.ts';
import { internalAuthenticator } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { createPool } from '../platform/postgres/pool.ts';
import type { MarketConfig } from './config.ts';
import type { Owner } from './domain/market-store.ts';
import { ccxtExchanges } from './feed/ccxt-exchange.ts';
import type { OpenExchange } from './feed/exchange-feed.ts';
import { followReplica } from './feed/follow-replica.ts';
import { Markets } from './feed/markets.ts';
import { Mirror } from './feed/mirror.ts';
import { openFeed } from './feed/open-feed.ts';
import { SourceBell } from './feed/source-bell.ts';
import { Sources } from './feed/sources.ts';
import { marketHandlers, MIRROR_HEADER } from './handlers/index.ts';
import { migrateDatabase } from './migrate.ts';
import { datasetBook } from './store/dataset-store.ts';
import { sourceBook } from './store/source-store.ts';

/** How long a replica that has gone silent keeps its sources. */
const LEASE_MS = 5_000;
/** A dataset comes in one message. */
const RECEIVE_BYTES_MAX = 9 * 1_048_576;

export interface MarketServiceRunning {
  readonly service: Running;
  readonly port: number;
}

/** Parties outside the service, which tests replace. */
export interface MarketSurroundings {
  readonly clock?: Clock;
  readonly exchanges?: OpenExchange;
}

/** Wires the market service and starts it: database first, then the port, then the sources. */
export async function startMarketService(
  config: MarketConfig,
  logger: Logger,
  surroundings: MarketSurroundings = {},
): Promise<MarketServiceRunning> {
  const stack = new Stack();
  try {
    await migrateDatabase(config.databaseUrl, logger);
    const clock = surroundings.clock ?? systemClock;
    const { databaseUrl, replicaId, internalToken, freshness } = config;
    const pool = stack.use(
      createPool({
        databaseUrl,
        applicationName: `market ${replicaId}`,
        connectionsMax: config.postgresConnectionsMax,
        logger,
      }),
      (p) => p.end(),
    );
    const nats = stack.add(connectNats({ url: config.natsUrl, name: `market ${replicaId}`, logger }));
    const bell = stack.add(new SourceBell(nats));
    const book = sourceBook(pool);
    const datasets = datasetBook(pool);
    const exchanges = config.exchanges ? (surroundings.exchanges ?? ccxtExchanges()) : undefined;
    let port = config.port;
    const ownUrl = (): string => config.ownUrl ?? `http://${config.host}:${port}`;
    const owner: Owner = {
      replicaId,
      get url() {
        return ownUrl();
      },
      leaseMs: LEASE_MS,
    };
    const follow = followReplica(internalToken, MIRROR_HEADER);
    const markets: Markets = stack.add(
      new Markets(
        book,
        clock,
        freshness,
        (market) =>
          new Mirror(market, {
            book,
            runsHere: (accountId, symbol) => sources.runs(accountId, symbol),
            ownUrl,
            follow,
            onChange: (accountId, callback) => bell.on(accountId, callback),
            clock,
            logger,
          }),
      ),
    );
    const sources = new Sources({
      book,
      markets,
      owner,
      open: (source) => openFeed({ datasets, clock, exchanges }, source),
      clock,
      logger,
      changed: (accountId) => bell.ring(accountId),
    });
    const server = createGrpcServer({
      host: config.host,
      port,
      logger,
      limits: grpcServerLimits({ receiveBytesMax: RECEIVE_BYTES_MAX }),
      authenticate: internalAuthenticator(internalToken),
    });
    server.register(
      MarketService,
      marketHandlers({ datasets, book, markets, sources, clock, freshness, exchanges: config.exchanges }),
    );
    server.register(
      Health,
      healthService(async () => (await pool.query('SELECT 1')).rowCount === 1, logger),
    );
    port = await stack.add(server).start();
    // After the server's, so that watchers see a source's last events before the port closes.
    stack.add(sources);
    bell.on(undefined, () => sources.lookSoon());
    await sources.begin();
    return { service: stack, port };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}
