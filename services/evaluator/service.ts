import { randomUUID } from 'node:crypto';
import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { internalAuthenticator } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { createPool } from '../platform/postgres/pool.ts';
import { Bells } from './bells.ts';
import type { EvaluatorConfig } from './config.ts';
import { type EvaluatorHandlerDependencies, evaluatorHandlers } from './handlers/index.ts';
import { migrateDatabase } from './migrate.ts';
import { IntentSender } from './running/intent-sender.ts';
import { LeaseKeeper } from './running/lease-keeper.ts';
import { Replica } from './running/replica.ts';
import { evaluatorRetention } from './running/retention.ts';
import { Runner } from './running/runner.ts';
import { StrategyShelf } from './running/strategy-shelf.ts';
import { liveView, storedView } from './running/viewing.ts';
import { evaluationReader } from './store/evaluation-store.ts';
import { instanceBook } from './store/instance-store.ts';
import { FollowedAccounts } from './strategies/followed-accounts.ts';
import { Neighbours } from './upstream/neighbours.ts';

/** Timers by the clock are looked at this often; with events they need none. */
const TICK_MS = 250;

export interface EvaluatorServiceRunning {
  readonly service: Running;
  readonly port: number;
}

/** Wires the evaluator service and starts it: database, strategies, port, and only then the lease that brings instances. */
export async function startEvaluatorService(config: EvaluatorConfig, logger: Logger): Promise<EvaluatorServiceRunning> {
  const stack = new Stack();
  try {
    await migrateDatabase(config.databaseUrl, logger);
    const clock = systemClock;
    const ownerId = randomUUID();
    const { databaseUrl, replicaId, postgresConnectionsMax: connectionsMax } = config;
    const pool = stack.use(
      createPool({ databaseUrl, applicationName: `evaluator ${replicaId}`, connectionsMax, logger }),
      (p) => p.end(),
    );
    const leasePool = stack.use(
      createPool({ databaseUrl, applicationName: `evaluator lease ${replicaId}`, connectionsMax: 1, logger }),
      (p) => p.end(),
    );
    const nats = stack.add(connectNats({ url: config.natsUrl, name: `evaluator ${replicaId}`, logger }));
    const neighbours = stack.add(new Neighbours(config, config.internalToken));
    const bells = stack.add(new Bells(nats));
    const followed = stack.add(new FollowedAccounts({ pool, nats, neighbours, clock, logger, ownerId }));
    const sender = stack.add(new IntentSender({ pool, neighbours, clock, logger }));
    const retention = stack.add(evaluatorRetention(pool, logger, config.historyDays));
    const changed = (accountId: string): void => bells.evaluations.ring(accountId);
    const runner = new Runner({
      pool,
      clock,
      logger,
      neighbours,
      ownerId,
      replicaId,
      sender,
      stored: changed,
      lost: (instanceId, epoch) => logger.debug({ instanceId, epoch }, 'instance let go'),
    });
    const shelf = new StrategyShelf(pool, neighbours, followed);
    const replica = new Replica({ pool, clock, logger, ownerId, runner, shelf, followed, changed });

    const book = instanceBook(pool);
    const handlers: EvaluatorHandlerDependencies = {
      book,
      reader: evaluationReader(pool),
      clock,
      wanted: bells.instances,
      outcomes: bells.outcomes,
      evaluations: bells.evaluations,
      follow: (accountId) => followed.follow(accountId),
      live: (instanceId) => liveView(runner, instanceId),
      askOwner: (accountId, address, instanceId) =>
        orNothing(logger, () => neighbours.peer(address).explainInstance({ instanceId }, neighbours.as(accountId))),
      storedView: (instanceId, accountId) => orNothing(logger, () => storedView(book, shelf, accountId, instanceId)),
      ownerId,
    };
    const server = createGrpcServer({
      host: config.host,
      port: config.port,
      logger,
      limits: grpcServerLimits(),
      authenticate: internalAuthenticator(config.internalToken),
    });
    server.register(EvaluatorService, evaluatorHandlers(handlers));
    server.register(
      Health,
      healthService(async () => (await pool.query('SELECT 1')).rowCount === 1, logger),
    );
    const port = await stack.add(server).start();
    const address = config.address === '' ? `http://${config.host}:${port}` : config.address;
    const keeper = new LeaseKeeper({
      pool,
      leasePool,
      logger,
      owner: { ownerId, replicaId, address },
      replica,
      runner,
      released: (accounts) => {
        for (const accountId of accounts) bells.instances.ring(accountId);
      },
    });
    bells.instances.onAny(() => keeper.look());
    bells.outcomes.onAny((accountId) => replica.readOutcomes(accountId));
    await followed.start();
    sender.start();
    retention.start();
    runner.start(TICK_MS);
    stack.add(keeper);
    await keeper.start();
    return { service: stack, port };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}

/** What cannot be had is left out of an explanation, not out of a trade. */
async function orNothing<T>(logger: Logger, ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    logger.warn({ reason: messageOf(thrown) }, 'instance not seen as it is');
    return undefined;
  }
}
