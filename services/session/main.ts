import { readEnv } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startSessionService } from './service.ts';

const env = readEnv();
const logger = createLogger('session', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    const { service, port } = await startSessionService(envToConfig(env), logger);
    return { service, ports: { internal: port } };
  } catch (thrown) {
    throw new Error(`the session service cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
