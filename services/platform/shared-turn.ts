import type { Clock } from './clock.ts';

/** Between so many the event loop gets to do something else. */
const CALLBACKS_AT_ONCE_MAX = 32;

/**
 * Calls back together whatever joined within a span, at its end. For what nobody waits for, such as a word to one of a thousand
 * streams: each by itself wakes this process and its peer, and a processor that has to be woken costs more than the word.
 */
export class SharedTurn {
  readonly #clock: Clock;
  readonly #withinMs: number;
  readonly #waiting = new Set<() => void>();
  #isDue = false;

  constructor(clock: Clock, withinMs: number) {
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  /** Calls back once within the span; who has joined already stays where it is. The callback must not throw. */
  join(callback: () => void): void {
    this.#waiting.add(callback);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.after(this.#withinMs, () => this.#run());
  }

  #run(): void {
    this.#isDue = false;
    const due = [...this.#waiting];
    this.#waiting.clear();
    const some = (): void => {
      for (const callback of due.splice(0, CALLBACKS_AT_ONCE_MAX)) callback();
      if (due.length > 0) setImmediate(some);
    };
    some();
  }
}
