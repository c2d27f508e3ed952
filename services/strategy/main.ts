import { messageOf } from '../platform/errors.ts';
import { readEnv } from '../platform/environment.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startStrategyService } from './service.ts';

const env = readEnv();
const logger = createLogger('strategy', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    const { service, port } = await startStrategyService(envToConfig(env), logger);
    return { service, ports: { internal: port } };
  } catch (thrown) {
    throw new Error(`the strategy service cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
