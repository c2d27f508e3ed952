import { readEnv } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startGateway } from './service.ts';

const env = readEnv();
const logger = createLogger('gateway', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    return await startGateway(envToConfig(env), logger);
  } catch (thrown) {
    throw new Error(`the gateway cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
