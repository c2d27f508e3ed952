import { readEnv } from '../platform/environment.ts';
import { messageOf } from '../platform/errors.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig } from './config.ts';
import { startAlertService } from './service.ts';

const env = readEnv();
const logger = createLogger('alert', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

await runProcess(logger, async () => {
  try {
    const { service, port } = await startAlertService(envToConfig(env), logger);
    return { service, ports: { internal: port } };
  } catch (thrown) {
    throw new Error(`the alert service cannot start: ${messageOf(thrown)}`, { cause: thrown });
  }
});
