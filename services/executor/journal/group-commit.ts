import type { DatabaseSync } from 'node:sqlite';

interface Write {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * Gathers writes and commits those of one turn of the event loop in one transaction: one fsync pays for all of them. After
 * a transaction that failed everything is refused, since nobody can say what is on disk any more.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  #writes: Write[] = [];
  #scheduled = false;
  #failure: Error | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Runs `run` within the transaction of this turn; resolves when it is on disk. */
  write(run: () => void): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#writes.push({ run, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Commits at once what has gathered. */
  flush(): void {
    this.#scheduled = false;
    const writes = this.#writes;
    if (writes.length === 0) return;
    this.#writes = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const write of writes) write.run();
      this.#database.exec('COMMIT');
    } catch (thrown) {
      this.#failure = new Error('the journal cannot be written', { cause: thrown });
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      for (const write of writes) write.reject(this.#failure);
      return;
    }
    for (const write of writes) write.resolve();
  }

  /** Refuses everything from now on. */
  close(): void {
    this.flush();
    this.#failure ??= new Error('the journal is closed');
  }
}
