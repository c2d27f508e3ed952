import type { Pool } from 'pg';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { listEvaluatorAccounts, removeEvaluations, removeOutcomes } from '../store/evaluation-statements.ts';
import { run } from '../store/statement.ts';

const ROUND_INTERVAL_MS = 60_000;
/** Small enough that no decision waits for it. */
const ROWS_PER_STATEMENT_MAX = 1_000;
const STATEMENTS_PER_ROUND_MAX = 100;

interface Removed {
  readonly removed: number;
}

/** Removes what is older than anybody asks for, a little at a time. Every replica may do it at once. */
export class Retention implements Running {
  readonly #pool: Pool;
  readonly #logger: Logger;
  readonly #keepDays: number;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(pool: Pool, logger: Logger, keepDays: number) {
    this.#pool = pool;
    this.#logger = logger;
    this.#keepDays = keepDays;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#round ??= this.removeOld()
        .catch((thrown: unknown) => this.#logger.warn({ reason: messageOf(thrown) }, 'retention failed'))
        .finally(() => {
          this.#round = undefined;
        });
    }, ROUND_INTERVAL_MS);
  }

  /** One round over all accounts. */
  async removeOld(): Promise<void> {
    const accounts = await run<{ readonly id: string }>(this.#pool, listEvaluatorAccounts, []);
    for (const { id } of accounts) {
      await repeat(() => run<Removed>(this.#pool, removeEvaluations, [id, this.#keepDays, ROWS_PER_STATEMENT_MAX]));
    }
    await repeat(() => run<Removed>(this.#pool, removeOutcomes, [this.#keepDays, ROWS_PER_STATEMENT_MAX]));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function repeat(remove: () => Promise<readonly Removed[]>): Promise<void> {
  for (let i = 0; i < STATEMENTS_PER_ROUND_MAX; i++) {
    const [row] = await remove();
    if (row === undefined || row.removed < ROWS_PER_STATEMENT_MAX) return;
  }
}
