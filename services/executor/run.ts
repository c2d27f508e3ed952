import { readEnv } from '../platform/environment.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { createPaperAdapter } from './adapters/paper/paper-adapter.ts';
import { createExecutor, type ExecutorState } from './agent.ts';
import { type ConfigFlags, loadConfig } from './config.ts';

/** What `strategos executor run` passes on; everything else comes from the environment and the configuration file. */
export type ExecutorProcessOptions = ConfigFlags;

/**
 * The main function of an executor process with the paper adapter: reads the configuration, connects, and runs until
 * SIGTERM, SIGINT or the end of a parent that started it over IPC. "Ready" means that the journal is open and connecting
 * has begun: the platform may be away, and the agent still takes up what it had left.
 * @throws ConfigError naming every bad setting, before anything is started
 */
export async function runExecutorProcess(options: ExecutorProcessOptions = {}): Promise<void> {
  const config = loadConfig(options, readEnv());
  const logger = createLogger('executor', config.logLevel);
  for (const warning of config.warnings) logger.warn({ warning }, 'configuration warning');
  await runProcess(logger, async () => {
    const { credentials, journalDirectory, limits, inFlightMax, concurrencyMax } = config;
    const executor = createExecutor({
      credentials,
      adapter: createPaperAdapter(config.paper),
      journalDirectory,
      limits,
      logger,
      ...(inFlightMax === undefined ? {} : { inFlightMax }),
      ...(concurrencyMax === undefined ? {} : { concurrencyMax }),
    });
    executor.onStateChange((state) => {
      logger.info(logFields(state), 'link state');
      // A supervisor starts it again, and the journal says where it was.
      if (state.kind === 'stopped' && state.error !== undefined) process.exit(1);
    });
    await executor.start();
    logger.info({ executor: credentials.executorName, journalDirectory }, 'executor started');
    return { service: executor, ports: {} };
  });
}

/** A state as log fields: numbers that JSON knows, and times that people read. */
function logFields(state: ExecutorState): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...state };
  if ('streamEpoch' in state) fields['streamEpoch'] = Number(state.streamEpoch);
  if ('untilMs' in state) fields['untilMs'] = new Date(state.untilMs).toISOString();
  return fields;
}
