import { z } from 'zod';
import { parseEnv, type Secret, setting } from '../platform/config.ts';

/** Everything that the back-test service is told from outside. It keeps nothing, so it needs no database. */
export interface BacktestConfig {
  readonly internalToken: Secret;
  readonly host: string;
  /** Port for the gateway and other services. */
  readonly port: number;
  /** Where stored strategies and datasets are read; none: only what requests bring can be run. */
  readonly strategyUrls: readonly string[];
  readonly marketUrls: readonly string[];
}

const schema = z.object({
  /** Read by the process itself, before the configuration; only looked at here. */
  STRATEGOS_LOG_LEVEL: setting.logLevel(),
  STRATEGOS_INTERNAL_TOKEN: setting.secret(),
  STRATEGOS_HOST: z.string().default('127.0.0.1'),
  STRATEGOS_BACKTEST_PORT: setting.port().default(7150),
  STRATEGOS_STRATEGY_URLS: setting.list().default([]),
  STRATEGOS_MARKET_URLS: setting.list().default([]),
});

/** @throws ConfigError naming every bad variable. */
export function envToConfig(env: Readonly<Record<string, string | undefined>>): BacktestConfig {
  const parsed = parseEnv(schema, env);
  return {
    internalToken: parsed.STRATEGOS_INTERNAL_TOKEN,
    host: parsed.STRATEGOS_HOST,
    port: parsed.STRATEGOS_BACKTEST_PORT,
    strategyUrls: parsed.STRATEGOS_STRATEGY_URLS,
    marketUrls: parsed.STRATEGOS_MARKET_URLS,
  };
}
