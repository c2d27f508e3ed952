import { readEnv } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startMarketService } from './service.ts';

const env = readEnv();
const logger = createLogger('market', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    const { service, port } = await startMarketService(envToConfig(env), logger);
    return { service, ports: { internal: port } };
  } catch (thrown) {
    throw new Error(`the market service cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
