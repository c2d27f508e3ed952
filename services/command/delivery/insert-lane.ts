import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { asError, messageOf, unavailable } from '../../platform/errors.ts';
import { isRefusal, isUnavailable } from '../../platform/postgres/failure.ts';
import type { Command } from '../domain/command.ts';
import type { ChangedCommand, NewCommand } from '../domain/repository.ts';
import { supersededKinds, supersedes } from '../domain/supersession.ts';
import { transition } from '../domain/transition.ts';
import * as store from '../store/command-store.ts';
import { type PreparedWrite, prepareInsert } from '../store/write-statements.ts';
import type { AccountNumbers, Flight } from './account-numbers.ts';
import { answer, type PendingInsert } from './insert-queue.ts';
import type { LocalStreams } from './local-streams.ts';

export interface InsertLaneDependencies {
  readonly accountId: string;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly streams: LocalStreams;
  readonly numbers: AccountNumbers;
  /** Tells who has to know of commands that were written. */
  readonly announce: (commands: readonly Command[]) => void;
}

/** A batch as it was stored, and the commands whose end it brought with it. */
interface Stored {
  readonly inserted: store.Inserted;
  readonly superseded: readonly Command[];
}

/** Stores an account's new commands, one batch after the other, and lets those go out at once that may. */
export class InsertLane {
  readonly #deps: InsertLaneDependencies;

  constructor(deps: InsertLaneDependencies) {
    this.#deps = deps;
  }

  async write(batch: readonly PendingInsert[]): Promise<void> {
    const { streams, numbers } = this.#deps;
    const flight = await numbers.begin();
    // Places between what is known and all that is to come: which numbers they get depends on what of our own comes first.
    const place = (i: number): number => flight.known + (i + 1) / (batch.length + 1);
    const numbered = batch.map(({ row }, i) => ({ ...row.command, sequence: place(i) }));
    const stops = numbered.filter((command) => supersededKinds(command.kind).length > 0);
    const rows = batch.map(({ row }, i) => ({ ...row, sent: this.#admit(flight, numbered[i], stops) }));
    let handedOver = false;
    try {
      const write = prepareInsert(rows);
      handedOver = true;
      const stored = await this.#store(rows, write, stops.length > 0, flight);
      // Somebody wrote before us whom we have not seen.
      if (stored.inserted.sent === 0) this.#releaseAll(rows);
      await numbers.took(flight, stored.inserted, rows.length + stored.superseded.length);
      streams.merge(stored.superseded);
      this.#answer(batch, stored.inserted.sent > 0 ? rows : rows.map((row) => ({ ...row, sent: null })), stored);
    } catch (thrown) {
      numbers.failed(flight, thrown);
      this.#releaseAll(rows);
      await this.#refused(batch, thrown, handedOver);
    } finally {
      numbers.over(flight);
    }
  }

  #admit({ known }: Flight, command: Command | undefined, stops: readonly Command[]): NewCommand['sent'] {
    if (command === undefined || known < 0) return null;
    return this.#deps.streams.admit(command, !stops.some((stop) => supersedes(stop, command)));
  }

  async #store(rows: readonly NewCommand[], write: PreparedWrite, withStops: boolean, flight: Flight): Promise<Stored> {
    if (withStops) return this.#storeWithSupersession(rows, write, flight);
    return { inserted: await store.insert(this.#deps.pool, this.#account(flight), rows, write), superseded: [] };
  }

  /** A stop and the end of the starts that it makes pointless are one transaction: no start slips out in between. */
  async #storeWithSupersession(rows: readonly NewCommand[], write: PreparedWrite, flight: Flight): Promise<Stored> {
    const { accountId, pool, clock } = this.#deps;
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const inserted = await store.insert(client, this.#account(flight), rows, write);
      const stops = rows.flatMap(({ command }) => {
        const stored = inserted.commands.get(command.id);
        return stored === undefined ? [] : [{ ...command, sequence: stored.sequence }];
      });
      const kinds = [...new Set(stops.flatMap((stop) => supersededKinds(stop.kind)))];
      const executorIds = [...new Set(stops.map((stop) => stop.executorId))];
      const open = await store.lockOpenOfKinds(client, accountId, executorIds, kinds);
      const changes = open.commands.flatMap((earlier): ChangedCommand[] => {
        const stop = stops.find((later) => supersedes(later, earlier));
        if (stop === undefined) return [];
        const moved = transition(earlier, { type: 'superseded', by: stop.id }, clock.nowMs());
        if (moved === null) return [];
        return [{ command: moved.command, before: earlier, steps: [moved.step], fenceEpoch: 0 }];
      });
      if (changes.length > 0) await store.change(client, this.#account(flight), changes);
      await client.query('COMMIT');
      return { inserted, superseded: changes.map(({ command }) => command) };
    } catch (thrown) {
      broken = asError(thrown);
      throw thrown;
    } finally {
      // A connection whose transaction failed is thrown away: its state is not worth a guess.
      client.release(broken);
    }
  }

  #answer(batch: readonly PendingInsert[], rows: readonly NewCommand[], { inserted, superseded }: Stored): void {
    const { streams, announce } = this.#deps;
    const ended = new Map(superseded.map((command) => [command.id, command]));
    const pending: Command[] = [];
    for (const [i, asked] of batch.entries()) {
      const row = rows[i];
      if (row === undefined) continue;
      const stored = inserted.commands.get(row.command.id);
      if (row.sent !== null && stored?.state === 'SENT') {
        const command = { ...row.sent.command, sequence: stored.sequence };
        streams.confirm(command);
        answer(asked, command);
        continue;
      }
      if (row.sent !== null) streams.release(row.sent.command);
      if (stored === undefined) {
        answer(asked, null);
        continue;
      }
      // Ended in the same transaction by a stop that came with it.
      const command = ended.get(row.command.id) ?? { ...row.command, sequence: stored.sequence };
      pending.push(command);
      answer(asked, command);
    }
    streams.merge(pending);
    announce([...superseded, ...rows.map((row) => row.command)]);
  }

  async #refused(batch: readonly PendingInsert[], thrown: unknown, handedOver: boolean): Promise<void> {
    const wroteNothing = !handedOver || isRefusal(thrown);
    // One bad row must not take the others with it.
    if (batch.length > 1 && wroteNothing && !isUnavailable(thrown)) {
      for (const pending of batch) await this.write([pending]);
      return;
    }
    const outcome = outcomeOf(thrown, wroteNothing);
    for (const pending of batch) answer(pending, outcome);
  }

  #releaseAll(rows: readonly NewCommand[]): void {
    for (const row of rows) if (row.sent !== null) this.#deps.streams.release(row.sent.command);
  }

  #account({ writer, known }: Flight): store.InsertAccount {
    return { accountId: this.#deps.accountId, writer, known };
  }
}

function outcomeOf(thrown: unknown, wroteNothing: boolean): Error {
  if (!wroteNothing) {
    return unavailable('postgres', 'the database cannot be reached; repeat the call with the same request_id', thrown);
  }
  if (!isUnavailable(thrown)) return asError(thrown);
  return unavailable(
    'postgres',
    `the database cannot write now (${messageOf(thrown)}); nothing was stored; try again`,
    thrown,
  );
}
