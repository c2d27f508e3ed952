import type { Pool } from 'pg';
import { v7 } from 'uuid';
import type { Logger } from '../../platform/logger.ts';
import { run } from '../store/command-store.ts';
import { listAccounts, oldestKept, removeCommands, removeHistory } from '../store/retention-statements.ts';
import { removeVenueEvents } from '../store/venue-statements.ts';

const ROUND_INTERVAL_MS = 60_000;
/** Small enough that no delivery waits for it. */
const ROWS_PER_STATEMENT_MAX = 1_000;
const STATEMENTS_PER_ROUND_MAX = 100;

export interface RetentionDependencies {
  readonly pool: Pool;
  readonly logger: Logger;
  /** How long ended commands and their history are kept. */
  readonly keepDays: number;
}

/** Removes what is older than anybody asks for, a little at a time. Every replica may do it at once. */
export class Retention {
  readonly #deps: RetentionDependencies;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  constructor(deps: RetentionDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#round ??= this.removeOld()
        .catch((thrown: unknown) => this.#deps.logger.warn({ err: thrown }, 'retention failed'))
        .finally(() => {
          this.#round = undefined;
        });
    }, ROUND_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  /** One round over all accounts. */
  async removeOld(): Promise<void> {
    const { pool, keepDays } = this.#deps;
    const [keepFrom] = await run<{ readonly ms: number }>(pool, oldestKept, [keepDays]);
    if (keepFrom === undefined) throw new Error('the database has not said what time it is');
    const keepFromMs = keepFrom.ms;
    // Below every id that was made at that time or later.
    const keepFromId = v7({ msecs: keepFromMs, seq: 0, random: new Uint8Array(16) });
    for (const { id } of await run<{ readonly id: string }>(pool, listAccounts, [])) {
      await this.#repeat(removeHistory, [id, keepFromMs, ROWS_PER_STATEMENT_MAX]);
      await this.#repeat(removeCommands, [id, keepFromId, ROWS_PER_STATEMENT_MAX]);
      await this.#repeat(removeVenueEvents, [id, new Date(keepFromMs), ROWS_PER_STATEMENT_MAX]);
    }
  }

  /** What fails is told, and keeps nothing else, of this account or of another, from its turn. */
  async #repeat(statement: typeof removeHistory, values: unknown[]): Promise<void> {
    const { pool, logger } = this.#deps;
    try {
      for (let i = 0; i < STATEMENTS_PER_ROUND_MAX; i++) {
        const [row] = await run<{ readonly removed: number }>(pool, statement, values);
        if (row === undefined || row.removed < ROWS_PER_STATEMENT_MAX) return;
      }
    } catch (thrown) {
      logger.warn({ err: thrown }, 'retention failed');
    }
  }
}
