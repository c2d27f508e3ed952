import { migrateDatabase as migrateAlert } from '../../services/alert/migrate.ts';
import { migrateDatabase as migrateCommand } from '../../services/command/migrate.ts';
import { migrateDatabase as migrateEvaluator } from '../../services/evaluator/migrate.ts';
import { migrateDatabase as migrateGateway } from '../../services/gateway/migrate.ts';
import { migrateDatabase as migrateMarket } from '../../services/market/migrate.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { migrateDatabase as migrateSession } from '../../services/session/migrate.ts';
import { migrateDatabase as migrateStrategy } from '../../services/strategy/migrate.ts';

/** Brings every service's schema in the database to the newest version, as the services themselves would at their start. */
export async function migrateAll(databaseUrl: string): Promise<void> {
  const logger = createLogger('migrate', 'warn');
  await migrateAlert(databaseUrl, logger);
  await migrateCommand(databaseUrl, logger);
  await migrateEvaluator(databaseUrl, logger);
  await migrateGateway(databaseUrl, logger);
  await migrateMarket(databaseUrl, logger);
  await migrateSession(databaseUrl, logger);
  await migrateStrategy(databaseUrl, logger);
}
