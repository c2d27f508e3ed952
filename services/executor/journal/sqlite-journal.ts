import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { v4 as randomUuid } from 'uuid';
import { messageOf } from '../../platform/errors.ts';
import { STOP_KINDS } from '../domain/kinds.ts';
import type { JournaledReading } from '../domain/start-deadline.ts';
import type { IssuedStop } from '../domain/stop-fence.ts';
import { describeRow, entryToRow, readEntry } from './entry-row.ts';
import { GroupCommit } from './group-commit.ts';
import type { DamagedEntry, Journal, JournalContents, JournalEntry } from './journal.ts';
import { lockJournalDirectory } from './journal-lock.ts';
import { JOURNAL_STEPS } from './journal-schema.ts';
import { applySchemaSteps } from './schema-steps.ts';

/** Rows forgotten in one transaction, so that pruning never holds the event loop for long. */
const PRUNE_ROWS_MAX = 2_000;

/** FULL: a commit is on disk when it returns. Checkpoints come less often than by default: each costs two more syncs. */
const PRAGMAS =
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000';

/**
 * Opens the journal of a directory, making both when they are not there. One process at a time.
 * @throws Error when another process holds it, it is damaged as a file, or a newer agent wrote it; the message says which
 */
export function openJournal(directory: string): Journal {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lockJournalDirectory(directory);
  try {
    const file = join(directory, 'journal.db');
    const database = new DatabaseSync(file);
    try {
      chmodSync(file, 0o600);
      readable(database, file);
      applySchemaSteps(database, file, JOURNAL_STEPS);
      return new SqliteJournal(database, unlock);
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

/** What SQLite says of a single row; reading that row finds it too, and sets it aside. */
const ROW_DEFECT = /^(CHECK constraint failed|\S+ value) in /;

/** Begins to work with the file. What is none of SQLite's, or cut off, shows at the first statement. */
function readable(database: DatabaseSync, file: string): void {
  try {
    database.exec(PRAGMAS);
    checkFile(database, file);
  } catch (thrown) {
    if (!isSqlites(thrown, NOT_A_DATABASE) && !isSqlites(thrown, CORRUPT)) throw thrown;
    throw damagedFile(file, messageOf(thrown));
  }
}

/** Result codes of SQLite: CORRUPT, and NOTADB. */
const [CORRUPT, NOT_A_DATABASE] = [11, 26];

function isSqlites(thrown: unknown, code: number): boolean {
  // The low byte is the kind, what is above says more.
  return thrown instanceof Error && 'errcode' in thrown && (Number(thrown.errcode) & 0xff) === code;
}

/** Asks SQLite whether the file holds together: a torn page would otherwise show up in the middle of the work. */
function checkFile(database: DatabaseSync, file: string): void {
  const verdicts = database
    .prepare('PRAGMA quick_check')
    .all()
    .map((row) => String(row['quick_check']));
  const defect = verdicts.find((verdict) => verdict !== 'ok' && !ROW_DEFECT.test(verdict));
  if (defect !== undefined) throw damagedFile(file, defect);
}

function damagedFile(file: string, how: string): Error {
  return new Error(
    `the journal ${file} is damaged (${how}): move its directory away to start with a new journal; ` +
      'the platform then settles what this one held',
  );
}

class SqliteJournal implements Journal {
  readonly id: string;
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #unlock: () => void;
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Entries received in this turn and not committed: a start in the same turn is folded into the insertion. */
  readonly #arriving = new Map<string, JournalEntry>();

  constructor(database: DatabaseSync, unlock: () => void) {
    this.#database = database;
    this.#unlock = unlock;
    this.#commits = new GroupCommit(database);
    this.#statements = prepareStatements(database);
    this.#statements.makeId.run(randomUuid());
    this.id = String(this.#statements.readId.get()?.['journal_id']);
  }

  load(): JournalContents {
    this.#commits.flush();
    const entries: JournalEntry[] = [];
    const damaged: DamagedEntry[] = [];
    for (const row of this.#statements.open.all()) {
      const entry = readEntry(row);
      if ('defect' in entry) damaged.push(entry);
      else entries.push(entry);
    }
    return { entries, damaged };
  }

  find(commandId: string): JournalEntry | DamagedEntry | undefined {
    const row = this.#statements.find.get(commandId);
    return row === undefined ? undefined : readEntry(row);
  }

  stops(): IssuedStop[] {
    return this.#statements.stops.all().map((row) => ({
      commandId: String(row['command_id']),
      kind: String(row['kind']),
      orderingKey: String(row['ordering_key']),
      sequence: Number(row['sequence']),
    }));
  }

  receive(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) this.#arriving.set(entry.commandId, entry);
    return this.#commits.write(() => {
      for (const { commandId } of entries) {
        const entry = this.#arriving.get(commandId);
        if (entry === undefined) continue;
        this.#arriving.delete(commandId);
        this.#statements.put.run(...entryToRow(entry));
      }
    });
  }

  adoptAttempt(commandId: string, attempt: number): Promise<void> {
    return this.#commits.write(() => {
      this.#statements.adoptAttempt.run(attempt, commandId);
    });
  }

  start(commandId: string, startedAt: JournaledReading): Promise<void> {
    const arriving = this.#arriving.get(commandId);
    if (arriving !== undefined) this.#arriving.set(commandId, { ...arriving, stage: 'running', startedAt });
    return this.#commits.write(() => {
      if (arriving === undefined) this.#statements.start.run(startedAt.wallMs, startedAt.uptimeMs, commandId);
    });
  }

  finish(commandId: string, finishedAt: JournaledReading, answer: Uint8Array): Promise<void> {
    return this.#commits.write(() => {
      this.#statements.finish.run(finishedAt.wallMs, finishedAt.uptimeMs, answer, commandId);
    });
  }

  acknowledge(commandIds: readonly string[]): Promise<void> {
    return this.#commits.write(() => {
      for (const commandId of commandIds) this.#statements.acknowledge.run(commandId);
    });
  }

  setAside(damaged: DamagedEntry, finishedAt: JournaledReading, answer: Uint8Array): Promise<void> {
    return this.#commits.write(() => {
      const row = this.#statements.find.get(damaged.commandId);
      if (row === undefined) return;
      this.#statements.keepDamaged.run(damaged.commandId, damaged.defect, describeRow(row), finishedAt.wallMs);
      this.#statements.delete.run(damaged.commandId);
      this.#statements.put.run(
        ...entryToRow({
          commandId: damaged.commandId,
          sequence: 0,
          attempt: damaged.attempt,
          orderingKey: '',
          kind: '',
          delivery: new Uint8Array(),
          stage: 'finished',
          receivedAt: finishedAt,
          finishedAt,
          answer,
          acknowledged: false,
          rememberForMs: 0,
        }),
      );
    });
  }

  prune(wallMs: number): number {
    this.#commits.flush();
    return Number(this.#statements.prune.run(wallMs, PRUNE_ROWS_MAX).changes);
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.#commits.close();
    this.#database.close();
    this.#unlock();
  }
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  /** Integers as bigint: a damaged one that no number holds would otherwise fail the whole query. */
  const prepareRead = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  const stopKinds = STOP_KINDS.map((kind) => `'${kind}'`).join(', ');
  return {
    makeId: prepare('INSERT INTO journal (only_row, journal_id) VALUES (1, ?) ON CONFLICT DO NOTHING'),
    readId: prepare('SELECT journal_id FROM journal'),
    open: prepareRead('SELECT * FROM entry WHERE acknowledged = 0 ORDER BY sequence'),
    find: prepareRead('SELECT * FROM entry WHERE command_id = ?'),
    stops: prepareRead(
      `SELECT command_id, kind, ordering_key, max(sequence) AS sequence FROM entry WHERE kind IN (${stopKinds}) GROUP BY ordering_key`,
    ),
    put: prepare('INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    adoptAttempt: prepare('UPDATE entry SET attempt = max(attempt, ?) WHERE command_id = ?'),
    start: prepare(
      `UPDATE entry SET stage = 'running', started_wall_ms = ?, started_uptime_ms = ? WHERE command_id = ?`,
    ),
    finish: prepare(
      `UPDATE entry SET stage = 'finished', finished_wall_ms = ?, finished_uptime_ms = ?, answer = ?, acknowledged = 0 WHERE command_id = ?`,
    ),
    acknowledge: prepare(`UPDATE entry SET acknowledged = 1 WHERE command_id = ? AND stage = 'finished'`),
    keepDamaged: prepare('INSERT INTO damaged_entry (command_id, defect, row_json, found_wall_ms) VALUES (?, ?, ?, ?)'),
    delete: prepare('DELETE FROM entry WHERE command_id = ?'),
    prune: prepare(
      `DELETE FROM entry WHERE rowid IN (
         SELECT rowid FROM entry WHERE acknowledged = 1 AND finished_wall_ms + remember_for_ms < ? LIMIT ?)`,
    ),
  };
}
