import { hostname } from 'node:os';
import { z } from 'zod';
import { parseEnv, Secret, setting } from '../platform/config.ts';
import type { EmailOptions } from './delivery/email.ts';
import type { Pace } from './domain/alert.ts';
import type { Thresholds } from './domain/condition.ts';
import type { UpstreamUrls } from './upstream/upstream.ts';

/** Everything that the alert service is told from outside. */
export interface AlertConfig {
  readonly databaseUrl: string;
  readonly logLevel: string;
  readonly replicaId: string;
  readonly internalToken: Secret;
  readonly host: string;
  readonly port: number;
  readonly urls: UpstreamUrls;
  readonly postgresConnectionsMax: number;
  /** Undefined: none. */
  readonly webhook: { readonly url: Secret; readonly secret: Secret | undefined } | undefined;
  readonly email: EmailOptions | undefined;
  readonly intervalMs: number;
  readonly thresholds: Thresholds;
  readonly pace: Pace;
  /** What is also so for a moment while something starts has to last that long. */
  readonly holdMs: number;
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

const schema = z
  .object({
    DATABASE_URL: z.string({ error: 'is required, such as postgres://user:password@127.0.0.1:5432/strategos' }),
    STRATEGOS_LOG_LEVEL: setting.logLevel(),
    STRATEGOS_REPLICA_ID: z.string().max(64).optional(),
    STRATEGOS_INTERNAL_TOKEN: setting.secret(),
    STRATEGOS_HOST: z.string().default('127.0.0.1'),
    STRATEGOS_ALERT_PORT: setting.port().default(7160),
    STRATEGOS_COMMAND_URLS: setting.list().default(['http://127.0.0.1:7090']),
    STRATEGOS_STRATEGY_URLS: setting.list().default([]),
    STRATEGOS_MARKET_URLS: setting.list().default([]),
    STRATEGOS_SESSION_URLS: setting.list().default([]),
    STRATEGOS_EVALUATOR_URLS: setting.list().default([]),
    STRATEGOS_BACKTEST_URLS: setting.list().default([]),
    STRATEGOS_GATEWAY_URL: z.string().default(''),
    STRATEGOS_POSTGRES_CONNECTIONS: setting.count(1, 100).default(3),
    STRATEGOS_ALERT_WEBHOOK_URL: z.url({ protocol: /^https?$/, error: 'must be http://… or https://…' }).optional(),
    STRATEGOS_ALERT_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
    STRATEGOS_ALERT_SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be smtp://… or smtps://…' }).optional(),
    STRATEGOS_ALERT_EMAIL_FROM: z.string().optional(),
    STRATEGOS_ALERT_EMAIL_TO: setting.list().default([]),
    STRATEGOS_ALERT_INTERVAL_MS: setting.count(100, 3_600_000).default(5_000),
    STRATEGOS_ALERT_HOLD_SECONDS: setting.count(0, DAY_SECONDS).default(15),
    STRATEGOS_ALERT_RECOVER_SECONDS: setting.count(0, DAY_SECONDS).default(30),
    STRATEGOS_ALERT_REMIND_HOURS: setting.count(1, 720).default(4),
    STRATEGOS_ALERT_WINDOW_SECONDS: setting.count(10, DAY_SECONDS).default(900),
    STRATEGOS_ALERT_COMMANDS_MIN: setting.count(1, 1_000_000).default(20),
    STRATEGOS_ALERT_SUCCESS_PERCENT_MIN: z.coerce.number().min(0).max(100).default(99),
    STRATEGOS_ALERT_LATENCY_MS_MAX: setting.count(1, 3_600_000).default(2_000),
    STRATEGOS_ALERT_OFFLINE_SECONDS: setting.count(0, DAY_SECONDS).default(30),
    STRATEGOS_ALERT_OVERDUE_SECONDS: setting.count(1, DAY_SECONDS).default(30),
  })
  .refine(
    (env) =>
      env.STRATEGOS_ALERT_SMTP_URL === undefined ||
      (env.STRATEGOS_ALERT_EMAIL_FROM !== undefined && env.STRATEGOS_ALERT_EMAIL_TO.length > 0),
    {
      path: ['STRATEGOS_ALERT_SMTP_URL'],
      message: 'goes together with STRATEGOS_ALERT_EMAIL_FROM and STRATEGOS_ALERT_EMAIL_TO: set all three or none',
    },
  );

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): AlertConfig {
  const parsed = parseEnv(schema, env);
  return {
    databaseUrl: parsed.DATABASE_URL,
    logLevel: parsed.STRATEGOS_LOG_LEVEL,
    replicaId: parsed.STRATEGOS_REPLICA_ID ?? `${hostname()}-${process.pid}`,
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_ALERT_PORT,
    urls: {
      command: parsed.STRATEGOS_COMMAND_URLS,
      strategy: parsed.STRATEGOS_STRATEGY_URLS,
      market: parsed.STRATEGOS_MARKET_URLS,
      session: parsed.STRATEGOS_SESSION_URLS,
      evaluator: parsed.STRATEGOS_EVALUATOR_URLS,
      backtest: parsed.STRATEGOS_BACKTEST_URLS,
      gateway: parsed.STRATEGOS_GATEWAY_URL,
    },
    postgresConnectionsMax: parsed.STRATEGOS_POSTGRES_CONNECTIONS,
    webhook: webhookOf(parsed),
    email: emailOf(parsed),
    intervalMs: parsed.STRATEGOS_ALERT_INTERVAL_MS,
    thresholds: {
      windowMs: parsed.STRATEGOS_ALERT_WINDOW_SECONDS * SECOND_MS,
      successRateMin: parsed.STRATEGOS_ALERT_SUCCESS_PERCENT_MIN / 100,
      p95MsMax: parsed.STRATEGOS_ALERT_LATENCY_MS_MAX,
      commandsMin: parsed.STRATEGOS_ALERT_COMMANDS_MIN,
      offlineMs: parsed.STRATEGOS_ALERT_OFFLINE_SECONDS * SECOND_MS,
      overdueMs: parsed.STRATEGOS_ALERT_OVERDUE_SECONDS * SECOND_MS,
    },
    holdMs: parsed.STRATEGOS_ALERT_HOLD_SECONDS * SECOND_MS,
    pace: {
      recoverAfterMs: parsed.STRATEGOS_ALERT_RECOVER_SECONDS * SECOND_MS,
      remindEveryMs: parsed.STRATEGOS_ALERT_REMIND_HOURS * HOUR_MS,
    },
  };
}

type Parsed = z.infer<typeof schema>;

/** The URL is a secret: that of a chat room lets anybody write there. */
function webhookOf({ STRATEGOS_ALERT_WEBHOOK_URL: url, STRATEGOS_ALERT_WEBHOOK_SECRET: secret }: Parsed) {
  if (url === undefined) return undefined;
  return { url: new Secret(url), secret: secret === undefined ? undefined : new Secret(secret) };
}

function emailOf(parsed: Parsed): EmailOptions | undefined {
  const { STRATEGOS_ALERT_SMTP_URL: url, STRATEGOS_ALERT_EMAIL_FROM: from, STRATEGOS_ALERT_EMAIL_TO: to } = parsed;
  return url === undefined || from === undefined ? undefined : { smtpUrl: new Secret(url), from, to };
}
