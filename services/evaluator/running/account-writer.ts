import type { Pool } from 'pg';
import { backoffMs } from '../../platform/backoff.ts';
import type { Logger } from '../../platform/logger.ts';
import { retryable } from '../../platform/postgres/pool.ts';
import {
  type AppliedOutcome,
  type EvaluationWrite,
  type InstanceWrite,
  type IntentWrite,
  type StepBatch,
  storeSteps,
} from '../store/step-store.ts';

/** What fires within this is one statement. */
const GATHER_MS = 1;
const BATCH_ROWS_MAX = 500;
const RETRY = { firstMs: 20, maxMs: 500 } as const;

/** One step of one instance. */
export interface StepWrite {
  readonly instance: InstanceWrite;
  readonly evaluations: readonly EvaluationWrite[];
  readonly intents: readonly IntentWrite[];
  readonly outcomes: readonly AppliedOutcome[];
}

export interface AccountWriterDependencies {
  readonly pool: Pool;
  readonly logger: Logger;
  readonly ownerId: string;
  /** What was stored may be acted upon now. */
  readonly stored: (accountId: string, writes: readonly StepWrite[]) => void;
  /** These were not stored: the instance is another's now, or its row cannot be written. */
  readonly refused: (writes: readonly StepWrite[]) => void;
}

/**
 * Writes all steps of an account's instances on this replica, in order. What arrives while a statement runs becomes the next.
 * Memory may be ahead of the database; nobody is told of anything before it is stored.
 */
export class AccountWriter {
  readonly #accountId: string;
  readonly #deps: AccountWriterDependencies;
  #queue: StepWrite[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(accountId: string, deps: AccountWriterDependencies) {
    this.#accountId = accountId;
    this.#deps = deps;
  }

  add(write: StepWrite): void {
    this.#queue.push(write);
    this.#running ??= this.#loop();
  }

  /** Resolves when everything that was added is stored or refused. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Gives up on a database that is away; what is queued is worked out again by the next owner. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.idle();
  }

  async #loop(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, GATHER_MS));
    while (this.#queue.length > 0) {
      const writes = this.#queue.slice(0, BATCH_ROWS_MAX);
      this.#queue = this.#queue.slice(BATCH_ROWS_MAX);
      await this.#write(writes);
    }
    this.#running = undefined;
  }

  async #write(writes: readonly StepWrite[]): Promise<void> {
    const { pool, ownerId, logger } = this.#deps;
    let held: ReadonlySet<string>;
    try {
      held = await this.#persist(() => storeSteps(pool, this.#accountId, ownerId, batchOf(writes)));
    } catch (thrown) {
      if (writes.length > 1 && !retryable(thrown)) {
        // One bad row must not take the others with it: each step gets a statement of its own.
        for (const write of writes) await this.#write([write]);
        return;
      }
      logger.error({ err: thrown, instanceId: writes[0]?.instance.id }, 'step cannot be written');
      this.#deps.refused(writes);
      return;
    }
    this.#deps.stored(
      this.#accountId,
      writes.filter(({ instance }) => held.has(instance.id)),
    );
    const refused = writes.filter(({ instance }) => !held.has(instance.id));
    if (refused.length > 0) this.#deps.refused(refused);
  }

  async #persist<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (thrown) {
        if (!retryable(thrown) || this.#stopped) throw thrown;
        if (attempt === 1) {
          this.#deps.logger.warn({ err: thrown, accountId: this.#accountId }, 'evaluator waits for postgres');
        }
        await new Promise<void>((resolve) => setTimeout(resolve, backoffMs(attempt, RETRY)));
      }
    }
  }
}

/** One row an instance, as it is after its last step; everything else in order. */
function batchOf(writes: readonly StepWrite[]): StepBatch {
  const instances = new Map<string, InstanceWrite>();
  for (const { instance } of writes) {
    const earlier = instances.get(instance.id);
    instances.set(instance.id, earlier === undefined ? instance : { ...instance, fromStatus: earlier.fromStatus });
  }
  return {
    instances: [...instances.values()],
    evaluations: writes.flatMap(({ evaluations }) => evaluations),
    intents: writes.flatMap(({ intents }) => intents),
    outcomes: writes.flatMap(({ outcomes }) => outcomes),
  };
}
