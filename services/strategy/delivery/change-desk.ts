import type { NewStrategy, Revision, StrategyBook, StrategyUpdate, WriteOutcome } from '../domain/strategy-book.ts';

/**
 * Writes changes of strategies, those of an account one after another: they would wait for the account's row anyway, and so what
 * this replica commits is also told in order.
 */
export class ChangeDesk {
  readonly #book: StrategyBook;
  readonly #committed: (revision: Revision) => void;
  readonly #last = new Map<string, Promise<unknown>>();

  /** `committed` is called at once with every revision that was written, in order; it must not throw. */
  constructor(book: StrategyBook, committed: (revision: Revision) => void) {
    this.#book = book;
    this.#committed = committed;
  }

  create(order: NewStrategy): Promise<WriteOutcome> {
    return this.#inTurn(order.accountId, () => this.#book.create(order));
  }

  update(order: StrategyUpdate): Promise<WriteOutcome> {
    return this.#inTurn(order.accountId, () => this.#book.update(order));
  }

  delete(accountId: string, id: string, author: string): Promise<WriteOutcome> {
    return this.#inTurn(accountId, () => this.#book.delete(accountId, id, author));
  }

  #inTurn(accountId: string, write: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    const before = this.#last.get(accountId) ?? Promise.resolve();
    const mine = before.then(async () => {
      const outcome = await write();
      if (outcome.kind === 'written') this.#committed(outcome.revision);
      return outcome;
    });
    const settled = mine.then(ignore, ignore).finally(() => {
      if (this.#last.get(accountId) === settled) this.#last.delete(accountId);
    });
    this.#last.set(accountId, settled);
    return mine;
  }
}

/** The caller of the write has its outcome; the next in turn needs only to know that it is over. */
function ignore(): void {}
