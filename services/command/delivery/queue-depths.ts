import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import type { Executor } from '../domain/executor.ts';
import { countOpen } from '../store/command-store.ts';

/** Open commands that one executor may have: the newest is refused, the oldest never dropped. */
export const QUEUED_MAX = 20_000;
/** A count serves this long; what this replica adds meanwhile is counted, what others add is not. */
const COUNT_TTL_MS = 1_000;

/** How many open commands each executor has, as far as the bound needs to know. */
export class QueueDepths {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #counts = new Map<string, { open: number; readonly untilMs: number }>();

  constructor(pool: Pool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  async load(executorIds: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const stale = executorIds.filter((id) => (this.#counts.get(id)?.untilMs ?? 0) <= nowMs);
    if (stale.length === 0) return;
    const counts = await countOpen(this.#pool, stale);
    for (const id of stale) {
      this.#counts.set(id, { open: counts.get(id)?.open ?? 0, untilMs: nowMs + COUNT_TTL_MS });
    }
  }

  added(executorId: string): void {
    const count = this.#counts.get(executorId);
    if (count !== undefined) count.open += 1;
  }

  /** RESOURCE_EXHAUSTED when the executor's queue is full. */
  refusal(executor: Executor): StatusError | undefined {
    const open = this.#counts.get(executor.id)?.open ?? 0;
    if (open < QUEUED_MAX) return undefined;
    return new StatusError(
      'ResourceExhausted',
      'QUEUE_FULL',
      `executor "${executor.name}" has ${open} unfinished commands; nothing was stored, try again when it has caught up`,
      { metadata: { executor: executor.name, queued: String(open) }, retryAfterMs: 1_000 },
    );
  }
}
