import { hostname } from 'node:os';
import { z } from 'zod';
import { parseEnv, type Secret, setting } from '../platform/config.ts';
import type { RateLimit } from './domain/token-bucket.ts';

export const TRADING_SERVICES = ['strategy', 'market', 'evaluator', 'session', 'backtest', 'alert'] as const;
export type TradingService = (typeof TRADING_SERVICES)[number];

/** Everything that the gateway is told from outside. */
export interface GatewayConfig {
  readonly databaseUrl: string;
  /** Only looked at by a diagnosis. */
  readonly natsUrl: string | undefined;
  readonly logLevel: string;
  readonly replicaId: string;
  readonly internalToken: Secret;
  readonly host: string;
  readonly port: number;
  /** Internal ports of the command replicas. */
  readonly commandUrls: readonly string[];
  /** Of the services that trade; a service without URLs is answered UNAVAILABLE. */
  readonly tradingUrls: Readonly<Record<TradingService, readonly string[]>>;
  /** Executor ports of the command replicas, for executors that can only poll. */
  readonly linkUrls: readonly string[];
  /** Where the first start writes the founding admin token. */
  readonly bootstrapTokenFile: string | undefined;
  /** PEM files; without them the port is plaintext. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Origins whose scripts may call from a browser; the console has the gateway's own. */
  readonly corsOrigins: readonly string[];
  /** Trusted proxies before the gateway, whose x-forwarded-for is believed. */
  readonly forwardedHops: number;
  readonly postgresConnectionsMax: number;
  readonly limits: GatewayLimits;
}

export interface GatewayLimits {
  readonly requestBytesMax: number;
  /** Of one token, or of one executor's credential. */
  readonly tokenRate: RateLimit;
  /** Of one address, before it is known who calls. */
  readonly addressRate: RateLimit;
  /** Wrong credentials of one address. */
  readonly failureRate: RateLimit;
  readonly connectionsMax: number;
  /** HTTP/2 streams of one connection. */
  readonly streamsMax: number;
  /** Calls of all operators that are open at once, watches apart. */
  readonly callsMax: number;
  /** Polls of all executors that are open at once; each may wait for half a minute. */
  readonly pollsMax: number;
  /** Watches of one token that are open at once. */
  readonly watchesMax: number;
  readonly unaryDefaultMs: number;
  readonly unaryMaxMs: number;
  readonly headersMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
  /** How often the peer of a connection with open calls is asked whether it is there, and how long its answer may take. */
  readonly pingMs: number;
  readonly pingAnswerMs: number;
  /** How long a reader of an answer may take nothing. */
  readonly stallMs: number;
  /** How long calls may go on while the gateway stops. */
  readonly drainMs: number;
}

const KIB = 1_024;
const MS_MAX = 86_400_000;

const count = setting.count;
const schema = z
  .object({
    DATABASE_URL: z.string({ error: 'is required, such as postgres://user:password@127.0.0.1:5432/strategos' }),
    NATS_URL: z.string().optional(),
    STRATEGOS_LOG_LEVEL: setting.logLevel(),
    STRATEGOS_REPLICA_ID: z.string().max(64).optional(),
    STRATEGOS_INTERNAL_TOKEN: setting.secret(),
    STRATEGOS_HOST: z.string().default('127.0.0.1'),
    STRATEGOS_PORT: setting.port().default(7070),
    STRATEGOS_COMMAND_URLS: setting.list().pipe(z.array(z.string()).min(1, 'needs at least one URL')),
    STRATEGOS_LINK_URLS: setting.list().default([]),
    STRATEGOS_STRATEGY_URLS: setting.list().default([]),
    STRATEGOS_MARKET_URLS: setting.list().default([]),
    STRATEGOS_EVALUATOR_URLS: setting.list().default([]),
    STRATEGOS_SESSION_URLS: setting.list().default([]),
    STRATEGOS_BACKTEST_URLS: setting.list().default([]),
    STRATEGOS_ALERT_URLS: setting.list().default([]),
    STRATEGOS_BOOTSTRAP_TOKEN_FILE: z.string().optional(),
    STRATEGOS_TLS_CERT_FILE: z.string().optional(),
    STRATEGOS_TLS_KEY_FILE: z.string().optional(),
    STRATEGOS_CORS_ORIGINS: setting.list().default([]),
    STRATEGOS_FORWARDED_HOPS: count(0, 10).default(0),
    STRATEGOS_POSTGRES_CONNECTIONS: count(1, 100).default(5),
    STRATEGOS_REQUEST_BYTES_MAX: count(KIB, 64 * KIB * KIB).default(KIB * KIB),
    STRATEGOS_TOKEN_RATE: count(1, 1_000_000).default(1_000),
    STRATEGOS_TOKEN_BURST: count(1, 1_000_000).default(2_000),
    STRATEGOS_ADDRESS_RATE: count(1, 1_000_000).default(5_000),
    STRATEGOS_ADDRESS_BURST: count(1, 1_000_000).default(10_000),
    STRATEGOS_FAILURE_RATE: count(1, 10_000).default(5),
    STRATEGOS_FAILURE_BURST: count(1, 10_000).default(100),
    STRATEGOS_CONNECTIONS_MAX: count(1, 100_000).default(10_000),
    STRATEGOS_STREAMS_MAX: count(1, 10_000).default(250),
    STRATEGOS_CALLS_MAX: count(1, 100_000).default(2_000),
    STRATEGOS_POLLS_MAX: count(1, 100_000).default(10_000),
    STRATEGOS_WATCHES_MAX: count(1, 10_000).default(100),
    STRATEGOS_UNARY_DEFAULT_MS: count(1, MS_MAX).default(30_000),
    STRATEGOS_UNARY_MAX_MS: count(1, MS_MAX).default(120_000),
    STRATEGOS_HEADERS_MS: count(100, MS_MAX).default(10_000),
    STRATEGOS_REQUEST_MS: count(100, MS_MAX).default(30_000),
    STRATEGOS_IDLE_MS: count(100, MS_MAX).default(75_000),
    STRATEGOS_PING_MS: count(50, MS_MAX).default(15_000),
    STRATEGOS_PING_ANSWER_MS: count(50, MS_MAX).default(10_000),
    STRATEGOS_STALL_MS: count(100, MS_MAX).default(30_000),
    STRATEGOS_DRAIN_MS: count(0, 8_000).default(4_000),
  })
  .refine((env) => (env.STRATEGOS_TLS_CERT_FILE === undefined) === (env.STRATEGOS_TLS_KEY_FILE === undefined), {
    path: ['STRATEGOS_TLS_CERT_FILE'],
    message: 'goes together with STRATEGOS_TLS_KEY_FILE: set both or neither',
  })
  .refine((env) => env.STRATEGOS_UNARY_DEFAULT_MS <= env.STRATEGOS_UNARY_MAX_MS, {
    path: ['STRATEGOS_UNARY_DEFAULT_MS'],
    message: 'must not exceed STRATEGOS_UNARY_MAX_MS',
  });

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const parsed = parseEnv(schema, env);
  const { STRATEGOS_TLS_CERT_FILE: certFile, STRATEGOS_TLS_KEY_FILE: keyFile } = parsed;
  return {
    databaseUrl: parsed.DATABASE_URL,
    natsUrl: parsed.NATS_URL,
    logLevel: parsed.STRATEGOS_LOG_LEVEL,
    replicaId: parsed.STRATEGOS_REPLICA_ID ?? `${hostname()}-${process.pid}`,
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_PORT,
    commandUrls: parsed.STRATEGOS_COMMAND_URLS,
    linkUrls: parsed.STRATEGOS_LINK_URLS,
    tradingUrls: {
      strategy: parsed.STRATEGOS_STRATEGY_URLS,
      market: parsed.STRATEGOS_MARKET_URLS,
      evaluator: parsed.STRATEGOS_EVALUATOR_URLS,
      session: parsed.STRATEGOS_SESSION_URLS,
      backtest: parsed.STRATEGOS_BACKTEST_URLS,
      alert: parsed.STRATEGOS_ALERT_URLS,
    },
    bootstrapTokenFile: parsed.STRATEGOS_BOOTSTRAP_TOKEN_FILE,
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    corsOrigins: parsed.STRATEGOS_CORS_ORIGINS,
    forwardedHops: parsed.STRATEGOS_FORWARDED_HOPS,
    postgresConnectionsMax: parsed.STRATEGOS_POSTGRES_CONNECTIONS,
    limits: {
      requestBytesMax: parsed.STRATEGOS_REQUEST_BYTES_MAX,
      tokenRate: { perSecond: parsed.STRATEGOS_TOKEN_RATE, burst: parsed.STRATEGOS_TOKEN_BURST },
      addressRate: { perSecond: parsed.STRATEGOS_ADDRESS_RATE, burst: parsed.STRATEGOS_ADDRESS_BURST },
      failureRate: { perSecond: parsed.STRATEGOS_FAILURE_RATE, burst: parsed.STRATEGOS_FAILURE_BURST },
      connectionsMax: parsed.STRATEGOS_CONNECTIONS_MAX,
      streamsMax: parsed.STRATEGOS_STREAMS_MAX,
      callsMax: parsed.STRATEGOS_CALLS_MAX,
      pollsMax: parsed.STRATEGOS_POLLS_MAX,
      watchesMax: parsed.STRATEGOS_WATCHES_MAX,
      unaryDefaultMs: parsed.STRATEGOS_UNARY_DEFAULT_MS,
      unaryMaxMs: parsed.STRATEGOS_UNARY_MAX_MS,
      headersMs: parsed.STRATEGOS_HEADERS_MS,
      requestMs: parsed.STRATEGOS_REQUEST_MS,
      idleMs: parsed.STRATEGOS_IDLE_MS,
      pingMs: parsed.STRATEGOS_PING_MS,
      pingAnswerMs: parsed.STRATEGOS_PING_ANSWER_MS,
      stallMs: parsed.STRATEGOS_STALL_MS,
      drainMs: parsed.STRATEGOS_DRAIN_MS,
    },
  };
}
