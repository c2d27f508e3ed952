import { hostname } from 'node:os';
import { z } from 'zod';
import { parseEnv, type Secret, setting } from '../platform/config.ts';

/** Everything that the strategy service is told from outside. */
export interface StrategyConfig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly logLevel: string;
  readonly replicaId: string;
  readonly internalToken: Secret;
  readonly host: string;
  /** Port for the gateway and other services. */
  readonly port: number;
  /** Internal addresses of the replicas of the services that this one asks. */
  readonly marketUrls: readonly string[];
  readonly sessionUrls: readonly string[];
  readonly evaluatorUrls: readonly string[];
  readonly postgresConnectionsMax: number;
  /** How long repeated requests are recognised, and unpublished changes are tried. */
  readonly historyDays: number;
}

const schema = z.object({
  DATABASE_URL: z.string({ error: 'is required, such as postgres://user:password@127.0.0.1:5432/strategos' }),
  NATS_URL: z.string({ error: 'is required, such as nats://127.0.0.1:4222' }),
  STRATEGOS_LOG_LEVEL: setting.logLevel(),
  STRATEGOS_REPLICA_ID: z.string().max(64).optional(),
  STRATEGOS_INTERNAL_TOKEN: setting.secret(),
  STRATEGOS_HOST: z.string().default('127.0.0.1'),
  STRATEGOS_STRATEGY_PORT: setting.port().default(7110),
  STRATEGOS_MARKET_URLS: setting.list().default(['http://127.0.0.1:7120']),
  STRATEGOS_EVALUATOR_URLS: setting.list().default(['http://127.0.0.1:7130']),
  STRATEGOS_SESSION_URLS: setting.list().default(['http://127.0.0.1:7140']),
  STRATEGOS_POSTGRES_CONNECTIONS: setting.count(2, 100).default(10),
  STRATEGOS_HISTORY_DAYS: setting.count(1, 3_650).default(30),
});

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): StrategyConfig {
  const parsed = parseEnv(schema, env);
  return {
    databaseUrl: parsed.DATABASE_URL,
    natsUrl: parsed.NATS_URL,
    logLevel: parsed.STRATEGOS_LOG_LEVEL,
    replicaId: parsed.STRATEGOS_REPLICA_ID ?? `${hostname()}-${process.pid}`,
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_STRATEGY_PORT,
    marketUrls: parsed.STRATEGOS_MARKET_URLS,
    sessionUrls: parsed.STRATEGOS_SESSION_URLS,
    evaluatorUrls: parsed.STRATEGOS_EVALUATOR_URLS,
    postgresConnectionsMax: parsed.STRATEGOS_POSTGRES_CONNECTIONS,
    historyDays: parsed.STRATEGOS_HISTORY_DAYS,
  };
}
