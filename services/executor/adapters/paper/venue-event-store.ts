import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { v4 as randomUuid } from 'uuid';
import { type VenueEvent, VenueEventSchema } from '../../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import type { GroupCommit } from '../../journal/group-commit.ts';
import type { VenueEventJournal } from '../adapter.ts';

/** A venue event before it has its number. */
export type VenueEventInit = MessageInitShape<typeof VenueEventSchema>;

/**
 * Numbers never repeat, also after their rows are gone (AUTOINCREMENT). An event is written in the transaction of what it
 * tells, and removed when the platform has made it durable.
 */
export const VENUE_EVENT_STEP = `
  CREATE TABLE venue_journal (
    only_row INTEGER PRIMARY KEY CONSTRAINT venue_journal_one_row CHECK (only_row = 1),
    journal_id TEXT NOT NULL
  ) STRICT;
  CREATE TABLE venue_event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB NOT NULL
  ) STRICT
  `;

/** What the paper venue did by itself and the platform has not acknowledged. */
export class VenueEventStore implements VenueEventJournal {
  readonly journalId: string;
  readonly #commits: GroupCommit;
  readonly #add: StatementSync;
  readonly #read: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: DatabaseSync, commits: GroupCommit) {
    this.#commits = commits;
    database.prepare('INSERT OR IGNORE INTO venue_journal VALUES (1, ?)').run(randomUuid());
    this.journalId = String(database.prepare('SELECT journal_id FROM venue_journal').get()?.['journal_id']);
    this.#add = database.prepare('INSERT INTO venue_event (event) VALUES (?)');
    this.#read = database.prepare('SELECT number, event FROM venue_event WHERE number > ? ORDER BY number LIMIT ?');
    this.#remove = database.prepare('DELETE FROM venue_event WHERE number = ?');
  }

  /** To be called within a transaction. */
  add(events: readonly VenueEventInit[]): void {
    for (const event of events) this.#add.run(toBinary(VenueEventSchema, create(VenueEventSchema, event)));
  }

  read(afterNumber: bigint, eventsMax: number): VenueEvent[] {
    return this.#read.all(afterNumber, eventsMax).flatMap(({ number, event: bytes }) => {
      if (!(bytes instanceof Uint8Array)) return [];
      const event = fromBinary(VenueEventSchema, bytes);
      event.journalId = this.journalId;
      event.number = BigInt(Number(number));
      return [event];
    });
  }

  acknowledge(numbers: readonly bigint[]): Promise<void> {
    return this.#commits.write(() => {
      for (const number of numbers) this.#remove.run(number);
    });
  }
}
