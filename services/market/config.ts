import { hostname } from 'node:os';
import { z } from 'zod';
import { parseEnv, type Secret, setting } from '../platform/config.ts';
import { FRESHNESS_LIMITS, type FreshnessLimits } from './domain/freshness.ts';

/** Everything that the market service is told from outside. */
export interface MarketConfig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly logLevel: string;
  readonly replicaId: string;
  readonly internalToken: Secret;
  readonly host: string;
  /** Port for the gateway and other services. */
  readonly port: number;
  /** Where other replicas of this service reach this one; undefined: the host and port it listens on. */
  readonly ownUrl: string | undefined;
  readonly postgresConnectionsMax: number;
  /** Whether exchanges may be followed. */
  readonly exchanges: boolean;
  readonly freshness: FreshnessLimits;
}

const schema = z.object({
  DATABASE_URL: z.string({ error: 'is required, such as postgres://user:password@127.0.0.1:5432/strategos' }),
  NATS_URL: z.string({ error: 'is required, such as nats://127.0.0.1:4222' }),
  STRATEGOS_LOG_LEVEL: setting.logLevel(),
  STRATEGOS_REPLICA_ID: z.string().max(64).optional(),
  STRATEGOS_INTERNAL_TOKEN: setting.secret(),
  STRATEGOS_HOST: z.string().default('127.0.0.1'),
  STRATEGOS_MARKET_PORT: setting.port().default(7120),
  STRATEGOS_MARKET_OWN_URL: z.string().optional(),
  STRATEGOS_POSTGRES_CONNECTIONS: setting.count(2, 100).default(10),
  STRATEGOS_MARKET_EXCHANGES: z.enum(['on', 'off']).default('off'),
  STRATEGOS_MARKET_STALE_MS_MIN: setting.count(1, 86_400_000).default(FRESHNESS_LIMITS.staleMsMin),
  STRATEGOS_MARKET_BLIND_MS_MIN: setting.count(1, 86_400_000).default(FRESHNESS_LIMITS.blindMsMin),
});

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): MarketConfig {
  const parsed = parseEnv(schema, env);
  return {
    databaseUrl: parsed.DATABASE_URL,
    natsUrl: parsed.NATS_URL,
    logLevel: parsed.STRATEGOS_LOG_LEVEL,
    replicaId: parsed.STRATEGOS_REPLICA_ID ?? `${hostname()}-${process.pid}`,
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_MARKET_PORT,
    ownUrl: parsed.STRATEGOS_MARKET_OWN_URL,
    postgresConnectionsMax: parsed.STRATEGOS_POSTGRES_CONNECTIONS,
    exchanges: parsed.STRATEGOS_MARKET_EXCHANGES === 'on',
    freshness: {
      ...FRESHNESS_LIMITS,
      staleMsMin: parsed.STRATEGOS_MARKET_STALE_MS_MIN,
      blindMsMin: parsed.STRATEGOS_MARKET_BLIND_MS_MIN,
    },
  };
}
