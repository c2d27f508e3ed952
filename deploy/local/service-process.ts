import { readEnv } from '../../services/platform/environment.ts';
import { messageOf } from '../../services/platform/errors.ts';
import type { Running } from '../../services/platform/lifecycle.ts';
import { LogFile, readable } from './log-file.ts';
import { type Exit, OwnedProcess } from './owned-process.ts';
import { endRecorded } from './process-record.ts';

const READY_MS_MAX = 30_000;
/** A service may take ten seconds to stop before it ends itself. */
const STOP_STEPS = [
  { signal: 'SIGTERM', waitMs: 12_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;
/** A service whose parent was killed is stopping already. */
export const LEFTOVER_STEPS = [{ signal: undefined, waitMs: 2_000 }, ...STOP_STEPS] as const;
/**
 * How Node is to keep house for what lives for some tenths of a second, as a command in flight does. With the first two, V8
 * took 220 MB of 80 000 lifecycles for long-lived instead of 600, and paused for 0.6 s instead of 0.9.
 */
export const NODE_FLAGS = [
  // Otherwise V8 learns under load that commands live long, and makes them where full collections alone clean up.
  '--no-allocation-site-pretenuring',
  // Young objects are looked through half as often, and most have gone by then.
  '--max-semi-space-size=64',
  // Megabytes. V8 sets its bound by what is alive, some 30 with 100 executors, and at 500 commands a second looked through all of
  // it every seven seconds: up to 50 ms for a command. What really lives long takes minutes to fill this. What such a pause then
  // takes longer are the header values of calls: HTTP/2 of Node gives each as a string outside of the heap, and these are let go
  // one by one. At 500 calls a second that was 28 of 79 ms after 75 s, and 30 more when malloc joined the pieces, whatever the
  // collector was doing by then. Messages of a stream have none.
  '--initial-old-space-size=256',
];
const LOG_LINES_READ = 100;
const LOG_LINES_SHOWN = 12;
/** What a child sees of its parent's environment; everything else is said explicitly. */
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'NODE_COMPILE_CACHE',
  'NODE_DISABLE_COMPILE_CACHE',
  'STRATEGOS_LOG_LEVEL',
];

export interface ServiceProcessOptions {
  /** Shown to people, such as "command-0". */
  readonly name: string;
  /** Absolute path of the service's main.ts. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Where the running process is noted for the next run; the process noted there is ended first. */
  readonly recordFile: string;
  readonly readyMsMax?: number;
}

/** One service as a process of its own, with its own log file. */
export class ServiceProcess implements Running {
  readonly name: string;
  /** What it listens on, by its own account. */
  readonly ports: Readonly<Record<string, number>>;
  readonly #process: OwnedProcess;
  #stopping: Promise<void> | undefined;

  private constructor(name: string, running: OwnedProcess, ports: Readonly<Record<string, number>>) {
    this.name = name;
    this.#process = running;
    this.ports = ports;
  }

  /**
   * Starts the service and resolves when it says that it is ready.
   * @throws Error with the service's own words when it cannot start or is not ready in time.
   */
  static async start(options: ServiceProcessOptions): Promise<ServiceProcess> {
    await endRecorded(options.recordFile, LEFTOVER_STEPS);
    const log = await LogFile.begin(options.logFile);
    const readiness = Promise.withResolvers<Readonly<Record<string, number>>>();
    // It may report that it cannot start before anybody listens, and even when nobody ever does.
    readiness.promise.catch(() => undefined);
    const running = await OwnedProcess.spawn({
      program: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', ...NODE_FLAGS, options.entry, ...(options.args ?? [])],
      env: environment(options.env),
      log,
      recordFile: options.recordFile,
      onMessage(message) {
        const report = readinessReport(message);
        if (report === undefined) return;
        if ('ports' in report) readiness.resolve(report.ports);
        else readiness.reject(new Error(`${options.name} cannot start: ${report.error}`));
      },
    }).catch((thrown: unknown) => {
      log.close();
      throw thrown;
    });
    try {
      return new ServiceProcess(options.name, running, await inTime(readiness.promise, running, options));
    } catch (thrown) {
      await running.end(STOP_STEPS);
      throw await withLastWords(thrown, log);
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process.running;
  }

  get log(): LogFile {
    return this.#process.log;
  }

  /** Resolves when the process has ended, wanted or not. */
  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  /** Sends a signal; false when the process has ended already. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#process.signal(signal);
  }

  /** Ends it without warning, as a power cut would, and resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#process.end([{ signal: 'SIGKILL', waitMs: 5_000 }]);
  }

  /** Stops it cleanly, bounded in time. */
  stop(): Promise<void> {
    this.#stopping ??= this.#process.end(STOP_STEPS);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function environment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env = readEnv();
  const inherited = INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { ...Object.fromEntries(inherited), ...given };
}

/** The readiness report, or a failure when the process ends or the time is over first. */
async function inTime<T>(
  readiness: Promise<T>,
  running: OwnedProcess,
  { name, readyMsMax = READY_MS_MAX }: ServiceProcessOptions,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(new Error(`${name} is not ready after ${readyMsMax} ms`)), readyMsMax);
  const ended = running.exited.then(({ code, signal }) => {
    throw new Error(`${name} ended with ${signal ?? `code ${code}`} while starting`);
  });
  try {
    return await Promise.race([readiness, ended, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function readinessReport(
  message: unknown,
): { readonly ports: Readonly<Record<string, number>> } | { readonly error: string } | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message)) return undefined;
  if (message.ready !== true) return { error: 'error' in message ? String(message.error) : 'cannot start' };
  const ports = 'ports' in message && typeof message.ports === 'object' && message.ports !== null ? message.ports : {};
  return { ports: Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, Number(port)])) };
}

async function withLastWords(thrown: unknown, log: LogFile): Promise<Error> {
  const words = readable(await log.tail(LOG_LINES_READ))
    .slice(-LOG_LINES_SHOWN)
    .join('\n');
  return new Error(`${messageOf(thrown)}\nlast lines of ${log.path}:\n${words}`, { cause: thrown });
}
