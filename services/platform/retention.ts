import { messageOf } from './errors.ts';
import type { Running } from './lifecycle.ts';
import type { Logger } from './logger.ts';

const ROUND_INTERVAL_MS = 60_000;
/** Of one removal in one round: what is left waits for the next. */
const STATEMENTS_PER_ROUND_MAX = 100;

/** Rows that one statement of a removal takes at most: small enough that nothing else waits for it. */
export const ROWS_PER_STATEMENT_MAX = 1_000;

/** Removes some of what is old; true when there is more of it. */
export type Removal = () => Promise<boolean>;

/** What one round does, one after the other: of accounts it is known only in the round which there are. */
export type Removals = () => Iterable<Removal> | AsyncIterable<Removal>;

/** Removes what is older than anybody asks for, a little at a time. Every replica may do it at once. */
export class Retention implements Running {
  readonly #removals: Removals;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(logger: Logger, removals: Removals) {
    this.#logger = logger;
    this.#removals = removals;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#round ??= this.removeOld().finally(() => {
        this.#round = undefined;
      });
    }, ROUND_INTERVAL_MS);
  }

  /** One round. A removal that fails is told, and keeps none of the others from its turn. */
  async removeOld(): Promise<void> {
    await this.#try(async () => {
      for await (const remove of this.#removals()) {
        await this.#try(async () => {
          for (let i = 0; i < STATEMENTS_PER_ROUND_MAX; i++) if (!(await remove())) break;
        });
      }
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#logger.warn({ reason: messageOf(thrown) }, 'retention failed');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
