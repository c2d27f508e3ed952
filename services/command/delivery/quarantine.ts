import type { Pool } from 'pg';
import type { Logger } from '../../platform/logger.ts';
import type { UnreadableCommand } from '../domain/repository.ts';
import { quarantine } from '../store/command-store.ts';

/** Takes rows that cannot be read out of the way, each once, so that they never hold up the others. */
export class Quarantine {
  readonly #pool: Pool;
  readonly #logger: Logger;
  readonly #underWay = new Set<string>();

  constructor(pool: Pool, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
  }

  /** Sets the rows aside in the background; one that fails is met again by the next sweep. */
  setAside(unreadable: readonly UnreadableCommand[]): void {
    const fresh = unreadable.filter((row) => !this.#underWay.has(row.id));
    if (fresh.length === 0) return;
    for (const row of fresh) {
      this.#underWay.add(row.id);
      this.#logger.warn({ commandId: row.id, executorId: row.executorId, defect: row.defect }, 'command set aside');
    }
    quarantine(this.#pool, fresh)
      .catch((thrown: unknown) => this.#logger.error({ err: thrown }, 'commands could not be set aside'))
      .finally(() => {
        for (const row of fresh) this.#underWay.delete(row.id);
      });
  }
}
