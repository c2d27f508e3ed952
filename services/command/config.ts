import { hostname } from 'node:os';
import { z } from 'zod';
import { CONTRACT_POLICIES, type ContractPolicy } from './domain/contract.ts';
import { parseEnv, type Secret, setting } from '../platform/config.ts';

/** Everything that the command service is told from outside. */
export interface CommandConfig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly logLevel: string;
  readonly replicaId: string;
  readonly internalToken: Secret;
  readonly host: string;
  /** Port for the gateway and other services. */
  readonly port: number;
  /** Port for executors. */
  readonly linkPort: number;
  /** Addresses of all replicas' executor ports as agents reach them; given out with credentials. */
  readonly linkUrls: readonly string[];
  readonly gatewayUrl: string;
  /** Replicas of the market service; none: agents get no prices. */
  readonly marketUrls: readonly string[];
  readonly postgresConnectionsMax: number;
  /** Open commands that one executor may have; more are refused. */
  readonly queuedMax: number;
  /** How long ended commands and their history are kept. */
  readonly historyDays: number;
  /** What becomes of agents whose wire format no supported release has. */
  readonly contractPolicy: ContractPolicy;
}

const schema = z.object({
  DATABASE_URL: z.string({ error: 'is required, such as postgres://user:password@127.0.0.1:5432/strategos' }),
  NATS_URL: z.string({ error: 'is required, such as nats://127.0.0.1:4222' }),
  STRATEGOS_LOG_LEVEL: setting.logLevel(),
  STRATEGOS_REPLICA_ID: z.string().max(64).optional(),
  STRATEGOS_INTERNAL_TOKEN: setting.secret(),
  STRATEGOS_HOST: z.string().default('127.0.0.1'),
  STRATEGOS_COMMAND_PORT: setting.port().default(7090),
  STRATEGOS_LINK_PORT: setting.port().default(7080),
  STRATEGOS_LINK_URLS: setting.list().optional(),
  STRATEGOS_GATEWAY_URL: z.string().default(''),
  STRATEGOS_MARKET_URLS: setting.list().default([]),
  STRATEGOS_POSTGRES_CONNECTIONS: setting.count(2, 100).default(10),
  STRATEGOS_QUEUED_MAX: setting.count(1, 1_000_000).default(20_000),
  STRATEGOS_HISTORY_DAYS: setting.count(1, 3_650).default(30),
  STRATEGOS_CONTRACT_POLICY: z.enum(CONTRACT_POLICIES).default('refuse'),
});

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): CommandConfig {
  const parsed = parseEnv(schema, env);
  return {
    databaseUrl: parsed.DATABASE_URL,
    natsUrl: parsed.NATS_URL,
    logLevel: parsed.STRATEGOS_LOG_LEVEL,
    replicaId: parsed.STRATEGOS_REPLICA_ID ?? `${hostname()}-${process.pid}`,
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_COMMAND_PORT,
    linkPort: parsed.STRATEGOS_LINK_PORT,
    linkUrls: parsed.STRATEGOS_LINK_URLS ?? [`http://${parsed.STRATEGOS_HOST}:${parsed.STRATEGOS_LINK_PORT}`],
    gatewayUrl: parsed.STRATEGOS_GATEWAY_URL,
    marketUrls: parsed.STRATEGOS_MARKET_URLS,
    postgresConnectionsMax: parsed.STRATEGOS_POSTGRES_CONNECTIONS,
    queuedMax: parsed.STRATEGOS_QUEUED_MAX,
    historyDays: parsed.STRATEGOS_HISTORY_DAYS,
    contractPolicy: parsed.STRATEGOS_CONTRACT_POLICY,
  };
}
