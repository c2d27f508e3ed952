import type { Command } from '../domain/command.ts';
import { AccountLedger, type LedgerDependencies } from './account-ledger.ts';

/** How late a change on another replica is noticed when its doorbell is lost. */
const SYNC_INTERVAL_MS = 500;

/** The ledgers of this replica, one an account, made when first asked for. */
export class Ledgers {
  readonly #deps: LedgerDependencies;
  readonly #ledgers = new Map<string, AccountLedger>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: LedgerDependencies) {
    this.#deps = deps;
  }

  of(accountId: string): AccountLedger {
    let ledger = this.#ledgers.get(accountId);
    if (ledger === undefined) {
      ledger = new AccountLedger(accountId, this.#deps);
      this.#ledgers.set(accountId, ledger);
    }
    return ledger;
  }

  /** Tells the local streams of commands that were changed past them. */
  changed(commands: readonly Command[]): void {
    this.#deps.streams.merge(commands);
  }

  /** Looks regularly for what others wrote: doorbells may be lost. */
  start(): void {
    this.#timer = setInterval(() => {
      for (const accountId of this.#ledgers.keys()) {
        if (this.#deps.streams.executorIds(accountId).length > 0) this.sync(accountId);
      }
    }, SYNC_INTERVAL_MS);
  }

  /** Looks now for what others wrote to the account. */
  sync(accountId: string): void {
    this.of(accountId)
      .sync()
      .catch((thrown: unknown) => this.#deps.logger.warn({ err: thrown, accountId }, 'sync failed'));
  }

  /** Resolves when everything that was enqueued is written. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#ledgers.values()].map((ledger) => ledger.stop()));
  }
}
