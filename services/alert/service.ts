import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { AlertService } from '../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { systemClock } from '../platform/clock.ts';
import { internalAuthenticator } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { createPool } from '../platform/postgres/pool.ts';
import type { AlertConfig } from './config.ts';
import type { NoticeChannel } from './delivery/channel.ts';
import { email } from './delivery/email.ts';
import { OutageNotice } from './delivery/outage-notice.ts';
import { webhook } from './delivery/webhook.ts';
import { alertHandlers } from './handlers/index.ts';
import { Patience } from './domain/patience.ts';
import { migrateDatabase } from './migrate.ts';
import { alertBook } from './store/alert-store.ts';
import { Looker } from './upstream/look.ts';
import { Upstream } from './upstream/upstream.ts';
import { Watcher } from './watcher.ts';

export interface AlertServiceRunning {
  readonly service: Running;
  readonly port: number;
}

/** Wires the alert service and starts it: database first, then the watch, then the port. */
export async function startAlertService(config: AlertConfig, logger: Logger): Promise<AlertServiceRunning> {
  const stack = new Stack();
  try {
    await migrateDatabase(config.databaseUrl, logger);
    const clock = systemClock;
    const { databaseUrl, replicaId, postgresConnectionsMax: connectionsMax } = config;
    const pool = stack.use(
      createPool({ databaseUrl, applicationName: `alert ${replicaId}`, connectionsMax, logger }),
      (p) => p.end(),
    );
    const upstream = stack.add(new Upstream(config.urls, config.internalToken));
    const book = alertBook(pool, replicaId);
    const channels: readonly NoticeChannel[] = [
      ...(config.webhook === undefined ? [] : [webhook({ ...config.webhook, clock })]),
      ...(config.email === undefined ? [] : [email(config.email)]),
    ];
    if (channels.length === 0) logger.info('no channel is configured, alerts are only listed');
    const looker = new Looker(upstream, config.thresholds, logger);
    const { intervalMs, pace, holdMs } = config;
    const patience = new Patience(holdMs);
    const outage = new OutageNotice({ channels, clock, logger, holdMs, remindEveryMs: pace.remindEveryMs });
    const look = (nowMs: number) => looker.look(nowMs);
    const watcher = stack.add(new Watcher({ book, look, channels, clock, logger, intervalMs, pace, patience, outage }));
    watcher.start();

    const server = createGrpcServer({
      host: config.host,
      port: config.port,
      logger,
      limits: grpcServerLimits(),
      authenticate: internalAuthenticator(config.internalToken),
    });
    server.register(AlertService, alertHandlers({ book, channels, clock }));
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
