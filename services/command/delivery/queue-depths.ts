import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import type { Lane } from '../domain/command.ts';
import type { Executor } from '../domain/executor.ts';
import { countOpen } from '../store/command-store.ts';

/** A count serves this long; what this replica adds meanwhile is counted, what others add is not. */
const COUNT_TTL_MS = 1_000;
const CRITICAL_LANE: Lane = 3;
/** So many critical commands find room in a full queue: a kill switch is not kept out by what it is to stop. */
const CRITICAL_ROOM = 1_000;

export interface QueueDepthsOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Open commands that one executor may have: the newest is refused, the oldest never dropped. */
  readonly queuedMax: number;
  /** How many commands are open where this replica holds the stream and has read them all. */
  readonly openHere: (executorId: string) => number | undefined;
}

/** How many open commands each executor has, as far as the bound needs to know. */
export class QueueDepths {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #queuedMax: number;
  readonly #openHere: (executorId: string) => number | undefined;
  readonly #counts = new Map<string, { open: number; readonly countedMs: number }>();

  constructor({ pool, clock, queuedMax, openHere }: QueueDepthsOptions) {
    this.#pool = pool;
    this.#clock = clock;
    this.#queuedMax = queuedMax;
    this.#openHere = openHere;
  }

  async load(executorIds: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const stale = executorIds.filter((id) => !this.#isFresh(id, nowMs) && this.#openHere(id) === undefined);
    if (stale.length === 0) return;
    const counts = await countOpen(this.#pool, stale);
    for (const id of stale) {
      this.#counts.set(id, { open: counts.get(id)?.open ?? 0, countedMs: nowMs });
    }
  }

  added(executorId: string): void {
    const count = this.#counts.get(executorId);
    if (count !== undefined) count.open += 1;
  }

  /** RESOURCE_EXHAUSTED when the executor's queue is full; for what is critical there is always some room. */
  refusal(executor: Executor, lane: Lane): StatusError | undefined {
    const open = this.#openHere(executor.id) ?? this.#counts.get(executor.id)?.open ?? 0;
    if (open < this.#queuedMax + (lane === CRITICAL_LANE ? CRITICAL_ROOM : 0)) return undefined;
    return new StatusError(
      'ResourceExhausted',
      'QUEUE_FULL',
      `executor "${executor.name}" has ${open} unfinished commands; nothing was stored, try again when it has caught up`,
      { metadata: { executor: executor.name, queued: String(open) }, retryAfterMs: 1_000 },
    );
  }

  /** A count from the future is one from before the clock was set back. */
  #isFresh(id: string, nowMs: number): boolean {
    const count = this.#counts.get(id);
    return count !== undefined && Math.abs(nowMs - count.countedMs) < COUNT_TTL_MS;
  }
}
