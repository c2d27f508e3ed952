import { systemClock, type Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Running } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';

/** Something that the gateway needs, and the question that finds out whether it is there. Rejects when it is not. */
export interface Dependency {
  readonly name: string;
  readonly check: (signal: AbortSignal) => Promise<void>;
}

export type DependencyState = 'unknown' | 'up' | 'down';

const CHECK_MS_MAX = 1_000;
const INTERVAL_UP_MS = 2_000;
/** A dependency that is away is asked more often, so that recovery is noticed soon. */
const INTERVAL_DOWN_MS = 500;

/** Keeps asking every dependency, and knows at any time what each last answered. Changes are logged once. */
export class Readiness implements Running {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #states = new Map<string, DependencyState>();
  readonly #listeners = new Set<() => void>();
  readonly #cancels = new Map<string, () => void>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  #draining = false;

  constructor({
    dependencies,
    logger,
    clock = systemClock,
  }: { dependencies: readonly Dependency[]; logger: Logger; clock?: Clock }) {
    this.#logger = logger;
    this.#clock = clock;
    for (const dependency of dependencies) {
      this.#states.set(dependency.name, 'unknown');
      this.#schedule(dependency, 0);
    }
  }

  /** State by dependency. */
  get states(): ReadonlyMap<string, DependencyState> {
    return this.#states;
  }

  /** True when every dependency answers and the gateway is not about to stop. */
  get ready(): boolean {
    return !this.#draining && [...this.#states.values()].every((state) => state === 'up');
  }

  /** True for one dependency. */
  isUp(name: string): boolean {
    return !this.#draining && this.#states.get(name) === 'up';
  }

  /** Not ready from now on: load balancers are to look elsewhere while the last calls end. */
  drain(): void {
    this.#draining = true;
    this.#notify();
  }

  /** Calls back after every change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): Promise<void> {
    this.#stopped.abort();
    for (const cancel of this.#cancels.values()) cancel();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #schedule(dependency: Dependency, delayMs: number): void {
    if (this.#stopped.signal.aborted) return;
    const cancel = this.#clock.after(delayMs, () => {
      this.#ask(dependency).then(
        (state) => this.#schedule(dependency, state === 'up' ? INTERVAL_UP_MS : INTERVAL_DOWN_MS),
        (thrown: unknown) =>
          this.#logger.error({ err: thrown, dependency: dependency.name }, 'cannot check a dependency'),
      );
    });
    this.#cancels.set(dependency.name, cancel);
  }

  async #ask({ name, check }: Dependency): Promise<DependencyState> {
    let state: DependencyState = 'up';
    let cause: string | undefined;
    const deadline = new AbortController();
    const cancelDeadline = this.#clock.after(CHECK_MS_MAX, () =>
      deadline.abort(new Error(`no answer in ${CHECK_MS_MAX} ms`)),
    );
    try {
      const signal = AbortSignal.any([deadline.signal, this.#stopped.signal]);
      await Promise.race([this.#checkOnce(name, check, signal), rejectedBy(signal)]);
    } catch (thrown) {
      state = 'down';
      cause = messageOf(thrown);
    } finally {
      cancelDeadline();
    }
    if (!this.#stopped.signal.aborted) this.#settle(name, state, cause);
    return state;
  }

  /** A check that hangs is waited for and not asked again: each would hold a connection. */
  #checkOnce(name: string, check: Dependency['check'], signal: AbortSignal): Promise<void> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const started = check(signal).finally(() => this.#running.delete(name));
    this.#running.set(name, started);
    return started;
  }

  #settle(name: string, state: DependencyState, cause: string | undefined): void {
    const before = this.#states.get(name);
    if (before === state) return;
    this.#states.set(name, state);
    if (state === 'up') this.#logger.info({ dependency: name }, 'dependency answers');
    else this.#logger.warn({ dependency: name, cause }, 'dependency does not answer');
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener(
      'abort',
      () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')),
      { once: true },
    );
  });
}
