import { createClient } from '@connectrpc/connect';
import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { systemClock } from '../platform/clock.ts';
import { internalAuthenticator } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { createGrpcTransport, type GrpcTransport } from '../platform/grpc/transport.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { createPool } from '../platform/postgres/pool.ts';
import { Bell } from './bell.ts';
import type { StrategyConfig } from './config.ts';
import { ChangeDesk } from './delivery/change-desk.ts';
import { Relay } from './delivery/relay.ts';
import { strategyHandlers } from './handlers/index.ts';
import { migrateDatabase } from './migrate.ts';
import { outboxOf } from './store/outbox-store.ts';
import { strategyRetention } from './store/retention.ts';
import { strategyBook } from './store/strategy-store.ts';
import { evaluatorFleet } from './upstream/evaluator-fleet.ts';
import { MarketCatalogue } from './upstream/indicator-catalogue.ts';
import { strategyUses } from './upstream/strategy-uses.ts';

export interface StrategyServiceRunning {
  readonly service: Running;
  readonly port: number;
}

/** Wires the strategy service and starts it: database first, then the relay, then the port. */
export async function startStrategyService(config: StrategyConfig, logger: Logger): Promise<StrategyServiceRunning> {
  const stack = new Stack();
  try {
    await migrateDatabase(config.databaseUrl, logger);
    const clock = systemClock;
    const { databaseUrl, replicaId, internalToken, postgresConnectionsMax: connectionsMax } = config;
    const pool = stack.use(
      createPool({ databaseUrl, applicationName: `strategy ${replicaId}`, connectionsMax, logger }),
      (p) => p.end(),
    );
    const nats = stack.add(connectNats({ url: config.natsUrl, name: `strategy ${replicaId}`, logger }));
    const bell = stack.add(new Bell(nats));
    const relay = stack.add(
      new Relay({
        outbox: outboxOf(pool),
        nats,
        clock,
        logger,
        unpublished: (accountId) => bell.ring(accountId),
      }),
    );
    relay.start();
    stack.add(strategyRetention(pool, logger, config.historyDays)).start();
    const book = strategyBook(pool);
    const transport = (urls: readonly string[]): GrpcTransport =>
      stack.use(createGrpcTransport({ urls }), (made) => made.close());
    const evaluators = config.evaluatorUrls.map((url) => ({
      url,
      client: createClient(EvaluatorService, transport([url])),
    }));
    const server = createGrpcServer({
      host: config.host,
      port: config.port,
      logger,
      limits: grpcServerLimits(),
      authenticate: internalAuthenticator(internalToken),
    });
    server.register(
      StrategyService,
      strategyHandlers({
        desk: new ChangeDesk(book, (revision) => relay.committed(revision)),
        book,
        bell,
        catalogue: new MarketCatalogue(createClient(MarketService, transport(config.marketUrls)), internalToken, clock),
        uses: strategyUses(createClient(SessionService, transport(config.sessionUrls)), internalToken),
        fleet: evaluatorFleet(evaluators, internalToken),
        clock,
      }),
    );
    server.register(
      Health,
      healthService(async () => (await pool.query('SELECT 1')).rowCount === 1, logger),
    );
    const port = await stack.add(server).start();
    return { service: stack, port };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}
