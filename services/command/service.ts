import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { systemClock } from '../platform/clock.ts';
import { internalAuthenticator } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { createPool } from '../platform/postgres/pool.ts';
import { Bells } from './bells.ts';
import type { CommandConfig } from './config.ts';
import { IssueDesk } from './delivery/issue-desk.ts';
import { QueueDepths } from './delivery/queue-depths.ts';
import { commandRetention } from './delivery/retention.ts';
import { CachedDirectory } from './directory.ts';
import { commandHandlers, executorHandlers } from './handlers/index.ts';
import { linkHandlers } from './handlers/link.ts';
import { linkAuthenticator } from './link/link-caller.ts';
import { LinkSide } from './link/link-side.ts';
import { marketPrices } from './link/market-prices.ts';
import { PriceFeed } from './link/price-feed.ts';
import { RefusalLog } from './link/refusal-log.ts';
import { migrateDatabase } from './migrate.ts';
import { commandReader } from './store/command-reader.ts';
import { CredentialVerifier } from './store/credential-verifier.ts';
import { executorBook, readExecutors } from './store/executor-store.ts';
import { storeRefusals } from './store/refusal-store.ts';
import { venueBook } from './store/venue-store.ts';
import { readEventFrame } from './wire/event-frame.ts';
import { readIssueCommands } from './wire/sent-payloads.ts';

export const PLATFORM_VERSION = '1.0.0';

/** Frames of agents are small; what is larger is not one of ours. */
const LINK_RECEIVE_BYTES_MAX = 1_048_576;
/** An agent holds one stream, and for a moment two while it moves; a gateway brings the polls of hundreds. */
const LINK_STREAMS_PER_CONNECTION_MAX = 1_000;

/** An agent that takes nothing for so long, although much waits for it, is told so; what then waits on is given up. */
const LINK_STALL_MS_MAX = 10_000;
const LINK_UNREAD_MS_MAX = 5_000;

/**
 * Statements on the delivery path are prepared once, often against an empty table, and must not keep a plan that was cheap
 * then: a cached plan that scanned the table made 10 000 lifecycles five times slower. Every access there is by an index.
 */
const DELIVERY_SETTINGS = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
} as const;

export interface CommandServiceRunning {
  readonly service: Running;
  readonly ports: { readonly internal: number; readonly link: number };
}

/** Wires the command service and starts it: database first, then delivery, then the ports. */
export async function startCommandService(config: CommandConfig, logger: Logger): Promise<CommandServiceRunning> {
  const stack = new Stack();
  try {
    await migrateDatabase(config.databaseUrl, logger);
    const clock = systemClock;
    const { databaseUrl, replicaId, postgresConnectionsMax: connectionsMax } = config;
    const pool = stack.use(
      createPool({ databaseUrl, applicationName: `command ${replicaId}`, connectionsMax, logger }),
      (p) => p.end(),
    );
    const deliveryPool = stack.use(
      createPool({
        databaseUrl,
        applicationName: `delivery ${replicaId}`,
        connectionsMax,
        logger,
        settings: DELIVERY_SETTINGS,
      }),
      (p) => p.end(),
    );
    // Bells of its own ring here at once: their echo was 200 wakes a second at 500 commands a second.
    const nats = stack.add(
      connectNats({ url: config.natsUrl, name: `command ${config.replicaId}`, logger, echo: false }),
    );
    const bells = stack.add(new Bells(nats));
    const directory = new CachedDirectory((keys) => readExecutors(pool, keys), clock);
    const verifier = stack.add(new CredentialVerifier(pool));
    // Not over the delivery path's connections: agents that are refused must not hold up those that are served.
    const refusals = stack.add(
      new RefusalLog({
        clock,
        logger,
        store: (some) => storeRefusals(pool, some, clock.nowMs()),
        stored: (accountId) => bells.executorsChanged(accountId),
      }),
    );
    const market = marketPrices(config.marketUrls, config.internalToken);
    if (market === undefined) logger.info('no market service is named, agents get no prices');
    else stack.use(market, (m) => m.close());
    const venue = venueBook(pool);
    const side = stack.add(
      new LinkSide({
        pool: deliveryPool,
        clock,
        logger,
        nats,
        bells,
        replicaId: config.replicaId,
        version: PLATFORM_VERSION,
        contractPolicy: config.contractPolicy,
        refusals,
        looked: (executorIds, atMs) => directory.changed(executorIds, atMs),
        connected: (accountId, executorId) => directory.warm(accountId, executorId),
        venue: {
          book: venue,
          feed: market === undefined ? undefined : new PriceFeed({ watch: market.watch, clock, logger }),
          stored: (accountId) => bells.venueEventsGrew(accountId),
        },
      }),
    );
    await side.start();
    const retention = stack.add(commandRetention(pool, logger, config.historyDays));
    retention.start();

    const depths = new QueueDepths({
      pool: deliveryPool,
      clock,
      queuedMax: config.queuedMax,
      openHere: (executorId) => side.registry.openHere(executorId),
    });
    const desk = new IssueDesk({ pool: deliveryPool, clock, ledgers: side.ledgers, directory, depths });
    const book = executorBook(pool, config.queuedMax);
    const shared = { book, directory, clock, bell: bells };
    const internal = createGrpcServer({
      host: config.host,
      port: config.port,
      logger,
      limits: grpcServerLimits(),
      authenticate: internalAuthenticator(config.internalToken),
    });
    internal.register(CommandService, commandHandlers({ ...shared, desk, reader: commandReader(pool) }), {
      issueCommands: readIssueCommands,
    });
    internal.register(
      ExecutorService,
      executorHandlers({
        ...shared,
        venue,
        venueBell: bells,
        addresses: { linkUrls: config.linkUrls, gatewayUrl: config.gatewayUrl },
        executorChanged: (accountId, executorId) => side.executorChanged(accountId, executorId),
      }),
    );
    internal.register(
      Health,
      healthService(async () => (await pool.query('SELECT 1')).rowCount === 1, logger),
    );

    const link = createGrpcServer({
      host: config.host,
      port: config.linkPort,
      logger,
      limits: grpcServerLimits({
        receiveBytesMax: LINK_RECEIVE_BYTES_MAX,
        streamsPerConnectionMax: LINK_STREAMS_PER_CONNECTION_MAX,
        stallMsMax: LINK_STALL_MS_MAX,
        unreadMsMax: LINK_UNREAD_MS_MAX,
      }),
      authenticate: linkAuthenticator({
        clock,
        verify: (keyId, secret) => verifier.verify(keyId, secret),
        refused: (refusal) => refusals.note(refusal),
      }),
    });
    link.register(
      ExecutorLinkService,
      linkHandlers({
        acceptor: side.acceptor,
        registry: side.registry,
        welcome: side.welcome,
        refusals,
        clock,
        directory,
        version: PLATFORM_VERSION,
      }),
      { connect: readEventFrame },
    );
    const ports = { internal: await stack.add(internal).start(), link: await stack.add(link).start() };
    return { service: stopInOrder(stack, side), ports };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}

/** Agents are asked to leave before their port closes; everything else stops in reverse order of starting. */
function stopInOrder(stack: Stack, side: LinkSide): Running {
  const stop = async (): Promise<void> => {
    await side.stop();
    await stack.stop();
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
