import { readEnv } from '../../services/platform/environment.ts';
import { runProcess } from '../../services/platform/lifecycle.ts';
import { createExecutor, createLogger, readCredentials } from '../../services/executor/index.ts';
import { RecordingAdapter } from './recording-adapter.ts';

// An executor agent as anybody would write one, whose venue is a file that tests read.

const env = readEnv();
const logger = createLogger('recording-executor', env['STRATEGOS_LOG_LEVEL'] ?? 'info');

function required(name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} must be set`);
  return value;
}

await runProcess(logger, async () => {
  const executor = createExecutor({
    credentials: readCredentials(required('STRATEGOS_CREDENTIALS')).credentials,
    adapter: new RecordingAdapter({
      file: required('RECORDING_FILE'),
      controlFile: required('RECORDING_CONTROL'),
      agent: required('RECORDING_AGENT'),
      executorId: required('RECORDING_EXECUTOR_ID'),
      accountId: required('RECORDING_ACCOUNT'),
    }),
    journalDirectory: required('STRATEGOS_JOURNAL'),
    logger,
    ...(env['STRATEGOS_CONCURRENCY_MAX'] === undefined
      ? {}
      : { concurrencyMax: Number(env['STRATEGOS_CONCURRENCY_MAX']) }),
    ...(env['STRATEGOS_IN_FLIGHT_MAX'] === undefined ? {} : { inFlightMax: Number(env['STRATEGOS_IN_FLIGHT_MAX']) }),
  });
  executor.onStateChange((state) => {
    logger.info({ state: state.kind, until: 'untilMs' in state ? state.untilMs : undefined }, 'link state');
    if (state.kind === 'stopped' && state.error !== undefined) process.exit(1);
  });
  await executor.start();
  return { service: executor, ports: {} };
});
