import type { Pool } from 'pg';
import type { VenueBook, VenuePage } from '../domain/venue-book.ts';
import { run } from './command-store.ts';
import { inTransaction } from './transaction.ts';
import { insertVenueEvents, lockVenueCounter, readVenueEventsAfter, readVenueRange } from './venue-statements.ts';

/** Numbers that one look goes through, however few of them match. */
const NUMBERS_PER_LOOK = 10_000;

interface RangeRow {
  readonly event_number: number;
  readonly removed_number: number;
}

type AfterRow = RangeRow &
  (
    | { readonly number: number; readonly executor_id: string; readonly event: Uint8Array; readonly store_time: number }
    | { readonly number: null }
  );

/** The stored venue events. */
export function venueBook(pool: Pool): VenueBook {
  return {
    store(accountId, executorId, events) {
      return inTransaction(pool, async (client) => {
        await run(client, lockVenueCounter, [accountId]);
        const stored = await run(client, insertVenueEvents, [
          accountId,
          executorId,
          events.map((event) => event.journalId),
          events.map((event) => event.number),
          events.map((event) => Buffer.from(event.event)),
        ]);
        return stored.length;
      });
    },
    async range(accountId) {
      const [row] = await run<RangeRow>(pool, readVenueRange, [accountId]);
      return { newest: row?.event_number ?? 0, removed: row?.removed_number ?? 0 };
    },
    async after(accountId, afterNumber, { eventsMax, executorId }) {
      const values = [accountId, afterNumber, eventsMax, executorId ?? null, NUMBERS_PER_LOOK];
      return pageOf(await run<AfterRow>(pool, readVenueEventsAfter, values), afterNumber, eventsMax);
    },
  };
}

function pageOf(rows: readonly AfterRow[], afterNumber: number, eventsMax: number): VenuePage {
  const events = rows.flatMap((row) =>
    row.number === null
      ? []
      : [{ number: row.number, executorId: row.executor_id, event: row.event, storeMs: row.store_time }],
  );
  const newest = rows[0]?.event_number ?? afterNumber;
  const lookedThrough = Math.max(afterNumber, Math.min(newest, afterNumber + NUMBERS_PER_LOOK));
  const throughNumber = events.length >= eventsMax ? (events.at(-1)?.number ?? lookedThrough) : lookedThrough;
  return { events, throughNumber, more: throughNumber < newest, removedNumber: rows[0]?.removed_number ?? 0 };
}
