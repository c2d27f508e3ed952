import type { InstanceData, MarketMoment } from '../domain/instance.ts';

/** An event with the values of indicators that came with it, and where these belong. */
export interface HeldEvent {
  readonly moment: MarketMoment;
  readonly slots: Int32Array;
  readonly values: readonly number[];
}

/** An answer that takes longer is not waited for. */
const ANSWER_MS_MAX = 2_000;
const EVENTS_MAX = 5_000;

/**
 * The events of a replay that wait until instances have their answers from the venue. A market that runs by the clock leaves a
 * minute for an answer that takes milliseconds; one that is replayed faster would run away from it, and the same prices would
 * give other decisions at another pace.
 */
export class HeldEvents {
  readonly #events: HeldEvent[] = [];
  /** Since when each awaits an answer, by the clock. */
  readonly #awaiting = new Map<string, number>();

  /** Notes whether an instance awaits an answer after a step. */
  note(data: InstanceData, nowMs: number): void {
    const awaits = data.entry !== null || (data.exit !== null && !data.exit.failed);
    if (!awaits) this.#awaiting.delete(data.instanceId);
    else if (!this.#awaiting.has(data.instanceId)) this.#awaiting.set(data.instanceId, nowMs);
  }

  forget(instanceId: string): void {
    this.#awaiting.delete(instanceId);
  }

  /** True while the next event has to wait. */
  holds(nowMs: number): boolean {
    if (this.#events.length >= EVENTS_MAX) return false;
    for (const sinceMs of this.#awaiting.values()) if (nowMs - sinceMs < ANSWER_MS_MAX) return true;
    return false;
  }

  get size(): number {
    return this.#events.length;
  }

  /** Sequence of the newest that waits; 0 when none does. */
  get newest(): number {
    return this.#events.at(-1)?.moment.sequence ?? 0;
  }

  push(event: HeldEvent): void {
    this.#events.push(event);
  }

  shift(): HeldEvent | undefined {
    return this.#events.shift();
  }

  /** They will come again. */
  clear(): void {
    this.#events.length = 0;
  }
}
