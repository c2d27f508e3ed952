import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { GroupCommit } from '../../journal/group-commit.ts';
import { applySchemaSteps } from '../../journal/schema-steps.ts';
import { type AccountChange, applyChange, type Collection, emptyAccount, type PaperAccount } from './account.ts';
import { VENUE_EVENT_STEP, type VenueEventInit, VenueEventStore } from './venue-event-store.ts';

const STEPS: readonly string[] = [
  `
  CREATE TABLE record (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    value_json TEXT NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE effect (
    effect_id INTEGER PRIMARY KEY,
    tag TEXT NOT NULL UNIQUE,
    result BLOB NOT NULL
  ) STRICT
  `,
  VENUE_EVENT_STEP,
];

/**
 * Effects that are remembered, the newest: many times what can be in flight. Counted and not timed, since a clock that was
 * set right would otherwise make the venue forget what it did.
 */
const EFFECTS_KEPT = 100_000;
/** Older ones are removed once in so many effects. */
const FORGET_EVERY = 5_000;
const COLLECTIONS: ReadonlySet<string> = new Set<Collection>([
  'account',
  'ledger',
  'price',
  'session',
  'position',
  'closed',
  'performance',
  'quote',
]);

/**
 * The account on disk. An effect and the tag of its command are one transaction: whether a command took effect is known
 * exactly, whenever the process ended.
 */
export class AccountStore {
  readonly events: VenueEventStore;
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #addEffect: StatementSync;
  readonly #findEffect: StatementSync;

  readonly #forget: StatementSync;

  /** @param directory where `paper.db` is kept; undefined keeps it in memory only. */
  constructor(directory: string | undefined) {
    const file = directory === undefined ? ':memory:' : join(directory, 'paper.db');
    this.#database = new DatabaseSync(file);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    if (directory !== undefined) chmodSync(file, 0o600);
    applySchemaSteps(this.#database, file, STEPS);
    this.#commits = new GroupCommit(this.#database);
    this.events = new VenueEventStore(this.#database, this.#commits);
    this.#put = this.#database.prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?)');
    this.#remove = this.#database.prepare('DELETE FROM record WHERE collection = ? AND key = ?');
    this.#addEffect = this.#database.prepare('INSERT INTO effect (tag, result) VALUES (?, ?)');
    this.#findEffect = this.#database.prepare('SELECT result FROM effect WHERE tag = ?');
    this.#forget = this.#database.prepare('DELETE FROM effect WHERE effect_id <= ?');
  }

  /** The account as it was after the last effect. */
  load(): PaperAccount {
    const account = emptyAccount();
    for (const row of this.#database.prepare('SELECT collection, key, value_json FROM record').iterate()) {
      const collection = String(row['collection']);
      if (!isCollection(collection))
        throw new Error(`the paper account holds a record of the unknown collection "${collection}"`);
      // What `commit` wrote comes back: the types are those of the collection.
      const change: AccountChange = {
        collection,
        key: String(row['key']),
        value: JSON.parse(String(row['value_json'])),
      };
      applyChange(account, change);
    }
    return account;
  }

  /** The result that the command with this tag had; undefined when it had no effect. */
  effectOf(tag: string): Uint8Array | undefined {
    const result = this.#findEffect.get(tag)?.['result'];
    return result instanceof Uint8Array ? result : undefined;
  }

  /** Writes an effect with its command's tag and what it caused at the venue; resolves when all of it is on disk. */
  commit(
    tag: string,
    result: Uint8Array,
    changes: readonly AccountChange[],
    events: readonly VenueEventInit[] = [],
  ): Promise<void> {
    return this.#commits.write(() => {
      const effectId = Number(this.#addEffect.run(tag, result).lastInsertRowid);
      if (effectId % FORGET_EVERY === 0) this.#forget.run(effectId - EFFECTS_KEPT);
      this.#write(changes);
      this.events.add(events);
    });
  }

  /** Writes what no command caused, with the events that tell it, in one transaction. */
  record(changes: readonly AccountChange[], events: readonly VenueEventInit[] = []): Promise<void> {
    return this.#commits.write(() => {
      this.#write(changes);
      this.events.add(events);
    });
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#commits.close();
    this.#database.close();
  }

  #write(changes: readonly AccountChange[]): void {
    for (const { collection, key, value } of changes) {
      if (value === undefined) this.#remove.run(collection, key);
      else this.#put.run(collection, key, JSON.stringify(value));
    }
  }
}

function isCollection(name: string): name is Collection {
  return COLLECTIONS.has(name);
}
