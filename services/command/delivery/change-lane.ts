import type { Pool } from 'pg';
import type { Logger } from '../../platform/logger.ts';
import type { Command } from '../domain/command.ts';
import type { ChangedCommand } from '../domain/repository.ts';
import * as store from '../store/command-store.ts';
import { prepareChange } from '../store/write-statements.ts';
import type { AccountNumbers } from './account-numbers.ts';
import type { PendingChange } from './change-queue.ts';
import type { Persist } from './persist.ts';

export interface ChangeLaneDependencies {
  readonly accountId: string;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly numbers: AccountNumbers;
  readonly persist: Persist;
  /** Tells who has to know of commands that were written. */
  readonly announce: (commands: readonly Command[]) => void;
}

/** Writes an account's changed commands, one batch after the other. */
export class ChangeLane {
  readonly #deps: ChangeLaneDependencies;

  constructor(deps: ChangeLaneDependencies) {
    this.#deps = deps;
  }

  async write(batch: readonly PendingChange[]): Promise<void> {
    const rows = batch.map((change) => change.take());
    try {
      await this.#writeRows(batch, rows);
    } catch (thrown) {
      // One bad row must not take the others with it: each gets a statement of its own.
      if (batch.length > 1) await this.#writeEach(batch, rows);
      else batch[0]?.reject(thrown);
    }
  }

  async #writeEach(batch: readonly PendingChange[], rows: readonly ChangedCommand[]): Promise<void> {
    for (const [i, change] of batch.entries()) {
      const row = rows[i];
      if (row === undefined) continue;
      try {
        await this.#writeRows([change], [row]);
      } catch (thrown) {
        this.#deps.logger.error({ err: thrown, commandId: change.commandId }, 'command cannot be written');
        change.reject(thrown);
      }
    }
  }

  async #writeRows(batch: readonly PendingChange[], rows: readonly ChangedCommand[]): Promise<void> {
    // What cannot be stored is refused here, before anything is sent.
    const write = prepareChange(rows);
    await this.#deps.persist('change', async () => {
      const { pool, accountId, numbers } = this.#deps;
      const flight = await numbers.begin();
      try {
        const changed = await store.change(pool, { accountId, writer: flight.writer }, rows, write);
        await numbers.took(flight, changed, rows.length);
        this.#answer(batch, rows, changed);
      } catch (thrown) {
        numbers.failed(flight, thrown);
        throw thrown;
      } finally {
        numbers.over(flight);
      }
    });
  }

  #answer(batch: readonly PendingChange[], rows: readonly ChangedCommand[], { ids }: store.Changed): void {
    for (const change of batch) change.resolve(ids.has(change.commandId));
    this.#deps.announce(rows.filter((row) => ids.has(row.command.id)).map((row) => row.command));
  }
}
