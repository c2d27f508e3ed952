/** Time is injected wherever a decision rests on it, so that tests move it by hand. */
export interface Clock {
  /** Wall time in milliseconds since the epoch. */
  nowMs(): number;
  /** Milliseconds since some moment that never step, wherever the wall clock is set: what spans within a process are counted by. */
  steadyMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. Never keeps the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Longest delay that a Node timer takes without overflowing to 1 ms. */
const TIMER_DELAY_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  steadyMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), TIMER_DELAY_MS_MAX));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to move; timers fire in due order within `advance`. */
export class ManualClock implements Clock {
  #nowMs: number;
  /** By how much the wall clock was set forward. */
  #stepMs = 0;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(startMs = Date.UTC(2024, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs + this.#stepMs;
  }

  steadyMs(): number {
    return this.#nowMs;
  }

  /** Sets the wall clock forward, or with less than 0 back: no time passes. */
  step(ms: number): void {
    this.#stepMs += ms;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time forward by `ms`, firing what falls due, timers set on the way included. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.dueMs <= endMs)
        .toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.callback();
    }
    this.#nowMs = endMs;
  }
}
