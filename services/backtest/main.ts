import { readEnv } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startBacktestService } from './service.ts';

const env = readEnv();
const logger = createLogger('backtest', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    return await startBacktestService(envToConfig(env), logger);
  } catch (thrown) {
    throw new Error(`the back-test service cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
