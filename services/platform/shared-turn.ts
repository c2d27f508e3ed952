import type { Clock } from './clock.ts';

/** Between so many the event loop gets to do something else. */
const AT_ONCE_MAX = 32;

export interface TurnTaker {
  /** Must not throw. */
  takeTurn(): void;
}

/**
 * Gives whoever joined within a span their turn together, at its end. For what nobody waits for, such as a word to one of a thousand
 * streams: each by itself wakes this process and its peer, and a processor that has to be woken costs more than the word.
 */
export class SharedTurn {
  readonly #clock: Clock;
  readonly #withinMs: number;
  readonly #waiting = new Set<TurnTaker>();
  #isDue = false;

  constructor(clock: Clock, withinMs: number) {
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  /** Within the span it is `taker`'s turn, once, however often it joins until then. */
  join(taker: TurnTaker): void {
    this.#waiting.add(taker);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.after(this.#withinMs, () => this.#run());
  }

  #run(): void {
    this.#isDue = false;
    const due = [...this.#waiting];
    this.#waiting.clear();
    const some = (): void => {
      for (const taker of due.splice(0, AT_ONCE_MAX)) taker.takeTurn();
      if (due.length > 0) setImmediate(some);
    };
    some();
  }
}
