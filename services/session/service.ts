import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
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
import type { SessionConfig } from './config.ts';
import { Followers } from './follow/followers.ts';
import { sessionHandlers } from './handlers/index.ts';
import { migrateDatabase } from './migrate.ts';
import { followBook } from './store/follow-store.ts';
import { haltBook } from './store/halt-store.ts';
import { sessionRetention } from './store/retention.ts';
import { sessionReader } from './store/session-reader.ts';
import { SessionStore } from './store/session-store.ts';
import { workBook } from './store/work-store.ts';
import { Upstream } from './upstream.ts';
import { Halting } from './work/halting.ts';
import { Runner } from './work/runner.ts';
import { createWorker } from './work/worker.ts';

export interface SessionServiceRunning {
  readonly service: Running;
  readonly port: number;
}

/** Wires the session service and starts it: database first, then what works on sessions, then the port. */
export async function startSessionService(config: SessionConfig, logger: Logger): Promise<SessionServiceRunning> {
  const stack = new Stack();
  try {
    await migrateDatabase(config.databaseUrl, logger);
    const clock = systemClock;
    const nowMs = (): number => clock.nowMs();
    const { databaseUrl, replicaId, postgresConnectionsMax: connectionsMax } = config;
    const pool = stack.use(
      createPool({ databaseUrl, applicationName: `session ${replicaId}`, connectionsMax, logger }),
      (p) => p.end(),
    );
    const nats = stack.add(connectNats({ url: config.natsUrl, name: `session ${replicaId}`, logger }));
    const bells = stack.add(new Bells(nats));
    const upstream = stack.add(new Upstream(config.urls, config.internalToken, clock));
    const book = new SessionStore(pool, nowMs, bells);
    const reader = sessionReader(pool);
    const halts = haltBook(pool, nowMs, bells);

    const followers = stack.add(
      new Followers({ book: followBook(pool, replicaId, nowMs, bells), upstream, clock, logger }),
    );
    followers.start();
    const halting = stack.add(new Halting({ halts, book, upstream, clock, logger }));
    halting.start();
    const run = createWorker({ book, reader, upstream, clock, logger, limits: config.limits });
    const runner = stack.add(new Runner({ work: workBook(pool, replicaId), clock, logger, run }));
    bells.onAny(() => runner.poke());
    runner.start();
    stack.add(sessionRetention(pool, logger, config.historyDays)).start();

    const server = createGrpcServer({
      host: config.host,
      port: config.port,
      logger,
      limits: grpcServerLimits(),
      authenticate: internalAuthenticator(config.internalToken),
    });
    server.register(
      SessionService,
      sessionHandlers({
        book,
        reader,
        halts,
        bell: bells,
        clock,
        upstream,
        followAccount: (accountId) => followers.ensure(accountId),
        advanceHalt: (view) => halting.advance(view),
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
