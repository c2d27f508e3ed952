import { backoffMs } from '../../services/platform/backoff.ts';
import { messageOf } from '../../services/platform/errors.ts';
import type { Running } from '../../services/platform/lifecycle.ts';

const RESTART_BACKOFF = { firstMs: 200, maxMs: 10_000 };
/** A part that has run this long starts its next restart series from the beginning. */
const STEADY_MS = 30_000;

/** A part that tells when it has ended. */
export interface Exiting extends Running {
  readonly exited: Promise<unknown>;
}

/** Starts a part and starts it again whenever it ends by itself, with growing pauses, until stopped. */
export class KeptRunning<T extends Exiting> implements Running {
  readonly #name: string;
  readonly #start: () => Promise<T>;
  readonly #report: (line: string) => void;
  readonly #stopped = new AbortController();
  #part: T;
  #watching: Promise<void>;

  private constructor(name: string, start: () => Promise<T>, report: (line: string) => void, part: T) {
    this.#name = name;
    this.#start = start;
    this.#report = report;
    this.#part = part;
    this.#watching = this.#watch();
  }

  /** Resolves when the part has started once; its first failure is thrown, later ones are reported and repeated. */
  static async start<T extends Exiting>(
    name: string,
    start: () => Promise<T>,
    report: (line: string) => void,
  ): Promise<KeptRunning<T>> {
    return new KeptRunning(name, start, report, await start());
  }

  /** The part as it runs now, or ran last. */
  get part(): T {
    return this.#part;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
    await this.#part.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    let failures = 0;
    let startedMs = performance.now();
    for (;;) {
      await Promise.race([this.#part.exited, stopped]);
      if (signal.aborted) return;
      if (performance.now() - startedMs > STEADY_MS) failures = 0;
      failures++;
      await this.#part.stop();
      const pauseMs = backoffMs(failures, RESTART_BACKOFF);
      this.#report(`${this.#name} has ended unexpectedly; starting it again in ${pauseMs} ms`);
      await Promise.race([pause(pauseMs), stopped]);
      if (signal.aborted) return;
      startedMs = performance.now();
      try {
        this.#part = await this.#start();
        this.#report(`${this.#name} is running again`);
      } catch (thrown) {
        this.#report(`${this.#name} does not start again: ${messageOf(thrown)}`);
      }
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
