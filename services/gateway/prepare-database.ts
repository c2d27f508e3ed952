import { backoffMs } from '../platform/backoff.ts';
import { StatusError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { foundPlatform } from './bootstrap.ts';
import type { GatewayConfig } from './config.ts';
import { migrateDatabase } from './migrate.ts';
import type { TokenStore } from './store/token-store.ts';

/** A database that starts together with the gateway may be a little later. */
const WAIT_MS_MAX = 30_000;
const RETRY = { firstMs: 200, maxMs: 2_000 } as const;

/**
 * Migrates the schema and founds the platform, waiting for the database as long as is reasonable.
 * @throws StatusError UNAVAILABLE when it stays away; whatever else goes wrong ends the start at once.
 */
export async function prepareDatabase(config: GatewayConfig, store: TokenStore, logger: Logger): Promise<void> {
  const endMs = Date.now() + WAIT_MS_MAX;
  for (let attempt = 1; ; attempt++) {
    try {
      await migrateDatabase(config.databaseUrl, logger);
      await foundPlatform(store, config.bootstrapTokenFile, logger);
      return;
    } catch (thrown) {
      const isAway = thrown instanceof StatusError && thrown.code === 'Unavailable';
      if (!isAway || Date.now() > endMs) throw thrown;
      if (attempt === 1) logger.warn({ reason: thrown.message }, 'waiting for the database');
    }
    await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, RETRY)));
  }
}
