import { messageOf } from '../platform/errors.ts';
import { createLogger } from '../platform/logger.ts';
import { runExecutorProcess } from './run.ts';

try {
  await runExecutorProcess();
} catch (thrown) {
  createLogger('executor', 'info').fatal({ reason: messageOf(thrown) }, 'cannot start');
  process.exitCode = 1;
}
