import { messageOf } from '../platform/errors.ts';
import { readEnv } from '../platform/environment.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startCommandService } from './service.ts';

const env = readEnv();
const logger = createLogger('command', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    return await startCommandService(envToConfig(env), logger);
  } catch (thrown) {
    throw new Error(`the command service cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
