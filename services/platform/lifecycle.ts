import { watchDescriptors } from './descriptors.ts';
import { messageOf } from './errors.ts';
import type { Logger } from './logger.ts';

/** Something that runs: `stop` is idempotent and resolves when nothing of it is left. */
export interface Running extends AsyncDisposable {
  stop(): Promise<void>;
}

/** Collects what was started; stops it in reverse order, every part even when one fails. */
export class Stack implements Running {
  readonly #stops: (() => Promise<void> | void)[] = [];
  #stopping: Promise<void> | undefined;

  /** Remembers `stop` and returns `part`, so that starting and registering is one line. */
  use<T>(part: T, stop: (part: T) => Promise<void> | void): T {
    this.#stops.push(() => stop(part));
    return part;
  }

  /** As `use`, for what brings its own `stop`. */
  add<T extends { stop(): Promise<void> | void }>(part: T): T {
    return this.use(part, (p) => p.stop());
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stops.toReversed()) {
      try {
        await stop();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('; '));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** How long a process may take to stop before it ends itself. */
const STOP_MS_MAX = 10_000;

/**
 * The main function of every service process: starts, tells a parent that asked over IPC that it is ready, stops on SIGTERM,
 * SIGINT or when that parent is gone, and ends with exit code 1 and one fatal line when starting fails.
 */
export async function runProcess(
  logger: Logger,
  start: () => Promise<{ readonly service: Running; readonly ports: Readonly<Record<string, number>> }>,
): Promise<void> {
  let stopping = false;
  let running: Running | undefined;
  const stop = (cause: string, exitCode = 0): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ cause }, 'stopping');
    setTimeout(() => {
      logger.error({ stopMsMax: STOP_MS_MAX }, 'did not stop in time, ending');
      process.exit(1);
    }, STOP_MS_MAX).unref();
    (running?.stop() ?? Promise.resolve()).then(
      () => process.exit(exitCode),
      (thrown: unknown) => {
        logger.error({ err: thrown }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('parent gone'));
  process.on('unhandledRejection', (thrown) => {
    logger.fatal({ err: thrown }, 'unhandled rejection');
    stop('unhandled rejection', 1);
  });
  try {
    const started = await start();
    running = started.service;
    logger.info({ ports: started.ports }, 'ready');
    watchDescriptors(logger);
    process.send?.({ ready: true, ports: started.ports });
    if (stopping) await running.stop();
  } catch (thrown) {
    // Leaving the parent must not look like an orderly stop.
    stopping = true;
    logger.fatal({ err: thrown }, 'cannot start');
    process.send?.({ ready: false, error: messageOf(thrown) });
    process.exitCode = 1;
    process.disconnect?.();
    setTimeout(() => process.exit(1), 500).unref();
  }
}
