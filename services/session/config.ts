import { hostname } from 'node:os';
import { z } from 'zod';
import { parseEnv, type Secret, setting } from '../platform/config.ts';
import type { UpkeepLimits } from './domain/upkeep.ts';
import type { UpstreamUrls } from './upstream.ts';

/** Everything that the session service is told from outside. */
export interface SessionConfig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly logLevel: string;
  readonly replicaId: string;
  readonly internalToken: Secret;
  readonly host: string;
  readonly port: number;
  readonly urls: UpstreamUrls;
  readonly postgresConnectionsMax: number;
  readonly limits: UpkeepLimits;
  /** How long it is kept how a session came to what it is. */
  readonly historyDays: number;
}

const schema = z.object({
  DATABASE_URL: z.string({ error: 'is required, such as postgres://user:password@127.0.0.1:5432/strategos' }),
  NATS_URL: z.string({ error: 'is required, such as nats://127.0.0.1:4222' }),
  STRATEGOS_LOG_LEVEL: setting.logLevel(),
  STRATEGOS_REPLICA_ID: z.string().max(64).optional(),
  STRATEGOS_INTERNAL_TOKEN: setting.secret(),
  STRATEGOS_HOST: z.string().default('127.0.0.1'),
  STRATEGOS_SESSION_PORT: setting.port().default(7140),
  STRATEGOS_COMMAND_URLS: setting.list().default(['http://127.0.0.1:7090']),
  STRATEGOS_STRATEGY_URLS: setting.list().default(['http://127.0.0.1:7110']),
  STRATEGOS_EVALUATOR_URLS: setting.list().default(['http://127.0.0.1:7130']),
  STRATEGOS_BACKTEST_URLS: setting.list().optional(),
  STRATEGOS_POSTGRES_CONNECTIONS: setting.count(2, 100).default(10),
  STRATEGOS_ASK_UNKNOWN_SECONDS: setting.count(1, 3_600).default(30),
  STRATEGOS_HISTORY_DAYS: setting.count(1, 3_650).default(30),
});

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): SessionConfig {
  const parsed = parseEnv(schema, env);
  return {
    databaseUrl: parsed.DATABASE_URL,
    natsUrl: parsed.NATS_URL,
    logLevel: parsed.STRATEGOS_LOG_LEVEL,
    replicaId: parsed.STRATEGOS_REPLICA_ID ?? `${hostname()}-${process.pid}`,
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_SESSION_PORT,
    urls: {
      command: parsed.STRATEGOS_COMMAND_URLS,
      strategy: parsed.STRATEGOS_STRATEGY_URLS,
      evaluator: parsed.STRATEGOS_EVALUATOR_URLS,
      backtest: parsed.STRATEGOS_BACKTEST_URLS ?? [],
    },
    postgresConnectionsMax: parsed.STRATEGOS_POSTGRES_CONNECTIONS,
    limits: { askUnknownAfterMs: parsed.STRATEGOS_ASK_UNKNOWN_SECONDS * 1_000 },
    historyDays: parsed.STRATEGOS_HISTORY_DAYS,
  };
}
