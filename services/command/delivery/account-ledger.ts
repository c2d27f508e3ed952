import type { Pool } from 'pg';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { asError, unavailable } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { isConnectionFailure, retryable } from '../../platform/postgres/failure.ts';
import type { Command } from '../domain/command.ts';
import type { ChangedCommand, NewCommand, ReadCommands, UnreadableCommand } from '../domain/repository.ts';
import { supersededKinds, supersedes } from '../domain/supersession.ts';
import { transition } from '../domain/transition.ts';
import * as store from '../store/command-store.ts';
import { ChangeQueue, GATHER_MS, type PendingChange } from './change-queue.ts';
import { answer, type InsertOutcome, InsertQueue, type PendingInsert } from './insert-queue.ts';

/** Rows of one statement: large enough to amortise a round trip, small enough for a flush of a few milliseconds. */
const BATCH_ROWS_MAX = 500;
/**
 * From so many commands on, their statement has taken the account's row long before the changes are ready. Of fewer it might
 * not have, and then nothing of it would be stored as SENT.
 */
const SIDE_BY_SIDE_ROWS_MIN = 100;
const RETRY = { firstMs: 50, maxMs: 1_000 } as const;

/** The streams that this replica holds, as far as a ledger has to know them. */
export interface LocalStreams {
  /** Executors of the account whose stream is held here. */
  executorIds(accountId: string): readonly string[];
  holds(executorId: string): boolean;
  /**
   * Asks whether a command that is about to be stored may go out at once. Reserves its place and returns it as sent, or null.
   * Followed by `confirm` or `release` for each command that was not null. What is stored with it and waits for it must not
   * go out either, so commands that may not (`mayGo` false) are named here too.
   */
  admit(command: Command, mayGo: boolean): NewCommand['sent'];
  confirm(command: Command): void;
  release(command: Command): void;
  /** Tells of commands as they are stored now, new ones included. */
  merge(commands: readonly Command[]): void;
  /** Hands over rows that cannot be read. */
  setAside(unreadable: readonly UnreadableCommand[]): void;
}

export interface LedgerDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly streams: LocalStreams;
  /** Rings the doorbell of an executor whose stream is held elsewhere. */
  readonly wake: (executorId: string) => void;
  /** Tells watchers that the account has new history. */
  readonly committed: (accountId: string) => void;
}

/**
 * The one place in a replica that writes an account's commands, and that learns what other replicas wrote.
 *
 * Callers enqueue; one loop turns what gathered while it wrote into the next round, so batches grow with the load and an idle
 * ledger answers in one round trip. A round is at most a batch of new commands and a batch of the changes that are due: one
 * after the other, or side by side when the commands are many; the changes then wait in Postgres for the account's row. Each
 * write tells the account's number before it: when that is more than this ledger knew, others have written, and their changes
 * to the executors held here are read before anything new goes out. That keeps issue order across replicas; in a round, too,
 * commands are accounted for before changes.
 */
export class AccountLedger {
  readonly #accountId: string;
  readonly #deps: LedgerDependencies;
  readonly #inserts = new InsertQueue();
  readonly #changes = new ChangeQueue();
  #gathering: NodeJS.Timeout | undefined;
  #syncWaiters: PromiseWithResolvers<void>[] = [];
  /** Everything up to this number is known to the local streams; -1 before the first look. */
  #knownNumber = -1;
  #running = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(accountId: string, deps: LedgerDependencies) {
    this.#accountId = accountId;
    this.#deps = deps;
  }

  get knownNumber(): number {
    return this.#knownNumber;
  }

  /** Stores new commands and gives the outcome of each. */
  insert(rows: readonly NewCommand[]): Promise<readonly InsertOutcome[]> {
    const outcomes = this.#inserts.push(rows);
    this.#kick();
    return outcomes;
  }

  /**
   * Writes a changed command. Keeps trying while Postgres is away, so what an agent reported is not lost with a restart of the
   * database. With `mayGather` nobody waits for it, and it may wait for others a moment.
   */
  write(change: PendingChange, mayGather: boolean): void {
    const nowMs = performance.now();
    this.#changes.push(change, mayGather, nowMs);
    if (this.#changes.isDue(nowMs)) this.#kick();
    else this.#gather();
  }

  /** The same for one who waits: resolves with false when the stored version or the stream epoch has moved on. */
  change(row: ChangedCommand): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.write({ commandId: row.command.id, take: () => row, resolve, reject }, false);
    });
  }

  /** Learns what others have written; resolves when the local streams know everything that was committed before the call. */
  sync(): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    this.#syncWaiters.push(waiter);
    this.#kick();
    return waiter.promise;
  }

  /** Commands as they are stored now. Waits while Postgres is away. */
  read(commandIds: readonly string[]): Promise<ReadCommands> {
    return this.#persist('read', () => store.readByIds(this.#deps.pool, this.#accountId, commandIds));
  }

  /** Resolves when nothing is queued or being written. Later writes are refused. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#changes.hurry();
    if (this.#changes.size > 0) this.#kick();
    return this.#running ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  #kick(): void {
    if (this.#running) return;
    this.#running = true;
    // One turn of the event loop gathers what arrives in the same frame or request.
    setImmediate(() => void this.#loop());
  }

  /** Writes when the changes that gather are due. */
  #gather(): void {
    if (this.#gathering !== undefined) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      if (this.#changes.size > 0) this.#kick();
    }, GATHER_MS);
  }

  async #loop(): Promise<void> {
    for (;;) {
      const due = this.#changes.isDue(performance.now());
      if (!due && this.#inserts.size === 0 && this.#syncWaiters.length === 0) break;
      if (this.#syncWaiters.length > 0) await this.#flushSync();
      // Commands first: each waits to be sent, and its caller for the answer.
      const sideBySide = this.#inserts.size >= SIDE_BY_SIDE_ROWS_MIN;
      const inserted =
        this.#inserts.size > 0 ? this.#flushInserts(this.#inserts.take(BATCH_ROWS_MAX)) : Promise.resolve();
      // While Postgres stores many, the changes are made ready and sent after them: they wait there for the account's row.
      await (sideBySide ? nextTurn() : inserted);
      const changed = this.#changes.isDue(performance.now()) ? this.#flushChanges(inserted) : Promise.resolve();
      await Promise.all([inserted, changed]);
      this.#changes.wrote(performance.now());
    }
    this.#running = false;
    if (this.#changes.size > 0) this.#gather();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #flushSync(): Promise<void> {
    const waiters = this.#syncWaiters.splice(0);
    try {
      await this.#persist('sync', async () => {
        const numbers = await store.eventNumbers(this.#deps.pool, [this.#accountId]);
        await this.#learnThrough(numbers.get(this.#accountId) ?? 0);
      });
      for (const { resolve } of waiters) resolve();
    } catch (thrown) {
      for (const { reject } of waiters) reject(thrown);
    }
  }

  /** Reads what others changed after the known number and up to `number`. */
  async #learnThrough(number: number): Promise<void> {
    if (number <= this.#knownNumber) return;
    const executorIds = this.#deps.streams.executorIds(this.#accountId);
    if (this.#knownNumber >= 0 && executorIds.length > 0) {
      const read = await store.readChanged(this.#deps.pool, this.#accountId, this.#knownNumber, number, executorIds);
      this.#deps.streams.setAside(read.unreadable);
      this.#deps.streams.merge(read.commands);
    }
    this.#knownNumber = number;
  }

  /** `inserted` is over when the commands that were sent before have been accounted for: numbers are learnt in their order. */
  async #flushChanges(inserted: Promise<void>): Promise<void> {
    const batch = this.#changes.take(BATCH_ROWS_MAX);
    const rows = batch.map((change) => change.take());
    let changed: store.Changed | undefined;
    try {
      changed = await this.#persist('change', () => store.change(this.#deps.pool, this.#accountId, rows));
    } catch (thrown) {
      await inserted;
      // One bad row must not take the others with it: each gets a statement of its own.
      if (batch.length > 1) await this.#changeOneByOne(batch, rows);
      else batch[0]?.reject(thrown);
      return;
    }
    await inserted;
    await this.#account(changed.baseNumber, rows.length);
    for (const change of batch) change.resolve(changed.ids.has(change.commandId));
    this.#announce(rows.filter((row) => changed.ids.has(row.command.id)).map((row) => row.command));
  }

  async #changeOneByOne(batch: readonly PendingChange[], rows: readonly ChangedCommand[]): Promise<void> {
    for (const [i, change] of batch.entries()) {
      const { commandId } = change;
      const row = rows[i];
      if (row === undefined) continue;
      try {
        const changed = await this.#persist('change', () => store.change(this.#deps.pool, this.#accountId, [row]));
        await this.#account(changed.baseNumber, 1);
        const written = changed.ids.has(commandId);
        change.resolve(written);
        if (written) this.#announce([row.command]);
      } catch (thrown) {
        this.#deps.logger.error({ err: thrown, commandId }, 'command cannot be written');
        change.reject(thrown);
      }
    }
  }

  async #flushInserts(batch: readonly PendingInsert[]): Promise<void> {
    const { streams, pool } = this.#deps;
    // The number each will get if nobody else writes first; the statement checks just that before it stores SENT.
    const numbered = batch.map(({ row }, i) => ({ ...row.command, sequence: this.#knownNumber + i + 1 }));
    const stops = numbered.filter((command) => supersededKinds(command.kind).length > 0);
    const rows = batch.map(({ row }, i) => {
      const command = numbered[i];
      if (command === undefined || this.#knownNumber < 0) return row;
      return { ...row, sent: streams.admit(command, !stops.some((stop) => supersedes(stop, command))) };
    });
    const releaseAll = (): void => {
      for (const row of rows) if (row.sent !== null) streams.release(row.sent.command);
    };
    try {
      const { inserted, superseded } =
        stops.length === 0
          ? { inserted: await store.insert(pool, this.#accountId, rows, this.#knownNumber), superseded: [] }
          : await this.#insertWithSupersession(rows);
      // Somebody else wrote first: nothing was stored as SENT, and the reserved numbers are theirs.
      const reserved = inserted.baseNumber === this.#knownNumber;
      if (!reserved) releaseAll();
      await this.#account(inserted.baseNumber, rows.length + superseded.length);
      streams.merge(superseded);
      const answered = reserved ? rows : rows.map((row) => ({ ...row, sent: null }));
      this.#answerInserts(batch, answered, inserted, new Map(superseded.map((command) => [command.id, command])));
      this.#announce([...superseded, ...rows.map((row) => row.command)]);
    } catch (thrown) {
      releaseAll();
      if (batch.length > 1 && !isConnectionFailure(thrown)) {
        for (const pending of batch) await this.#flushInserts([pending]);
        return;
      }
      const outcome = isConnectionFailure(thrown)
        ? unavailable('postgres', 'the database cannot be reached; repeat the call with the same request_id', thrown)
        : asError(thrown);
      for (const pending of batch) answer(pending, outcome);
    }
  }

  #answerInserts(
    batch: readonly PendingInsert[],
    rows: readonly NewCommand[],
    inserted: store.Inserted,
    superseded: ReadonlyMap<string, Command>,
  ): void {
    const pending: Command[] = [];
    for (const [i, asked] of batch.entries()) {
      const row = rows[i];
      if (row === undefined) continue;
      const stored = inserted.commands.get(row.command.id);
      if (stored === undefined) {
        if (row.sent !== null) this.#deps.streams.release(row.sent.command);
        answer(asked, null);
        continue;
      }
      if (row.sent !== null && stored.state === 'SENT') {
        const { command: sent } = row.sent;
        const command = sent.sequence === stored.sequence ? sent : { ...sent, sequence: stored.sequence };
        this.#deps.streams.confirm(command);
        answer(asked, command);
        continue;
      }
      if (row.sent !== null) this.#deps.streams.release(row.sent.command);
      // Ended in the same transaction by a stop that came with it.
      const command = superseded.get(row.command.id) ?? { ...row.command, sequence: stored.sequence };
      pending.push(command);
      answer(asked, command);
    }
    this.#deps.streams.merge(pending);
  }

  /** A stop and the end of the starts that it makes pointless are one transaction: no start slips out in between. */
  async #insertWithSupersession(
    rows: readonly NewCommand[],
  ): Promise<{ inserted: store.Inserted; superseded: readonly Command[] }> {
    const client = await this.#deps.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const inserted = await store.insert(client, this.#accountId, rows, this.#knownNumber);
      const stops = rows.flatMap(({ command }) => {
        const stored = inserted.commands.get(command.id);
        return stored === undefined ? [] : [{ ...command, sequence: stored.sequence }];
      });
      const kinds = [...new Set(stops.flatMap((stop) => supersededKinds(stop.kind)))];
      const executorIds = [...new Set(stops.map((stop) => stop.executorId))];
      const open = await store.lockOpenOfKinds(client, this.#accountId, executorIds, kinds);
      const changes = open.commands.flatMap((earlier): ChangedCommand[] => {
        const stop = stops.find((later) => supersedes(later, earlier));
        if (stop === undefined) return [];
        const moved = transition(earlier, { type: 'superseded', by: stop.id }, this.#deps.clock.nowMs());
        if (moved === null) return [];
        return [{ command: moved.command, fromVersion: earlier.version, steps: [moved.step], fenceEpoch: 0 }];
      });
      if (changes.length > 0) await store.change(client, this.#accountId, changes);
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

  /** Moves the known number past our own write, after what others wrote before it has been learnt. */
  async #account(baseNumber: number, taken: number): Promise<void> {
    if (this.#knownNumber >= 0 && baseNumber > this.#knownNumber) {
      try {
        await this.#persist('sync', () => this.#learnThrough(baseNumber));
      } catch (thrown) {
        // The write itself stands. The known number stays behind, so the next look reads all of it again.
        this.#deps.logger.error({ err: thrown, accountId: this.#accountId }, 'changes of other replicas not learnt');
        return;
      }
    }
    this.#knownNumber = Math.max(this.#knownNumber, baseNumber + taken);
  }

  #announce(commands: readonly Command[]): void {
    if (commands.length === 0) return;
    for (const executorId of new Set(commands.map((command) => command.executorId))) {
      if (!this.#deps.streams.holds(executorId)) this.#deps.wake(executorId);
    }
    this.#deps.committed(this.#accountId);
  }

  /** Repeats work that Postgres refused for a passing reason until it succeeds or the ledger is stopped. */
  async #persist<T>(what: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (thrown) {
        if (!retryable(thrown) || this.#stopped) throw thrown;
        if (attempt === 1)
          this.#deps.logger.warn({ err: thrown, what, accountId: this.#accountId }, 'ledger waits for postgres');
        await new Promise<void>((resolve) => setTimeout(resolve, backoffMs(attempt, RETRY)));
      }
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
