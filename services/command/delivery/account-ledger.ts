import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Command } from '../domain/command.ts';
import type { ChangedCommand, NewCommand, ReadCommands } from '../domain/repository.ts';
import * as store from '../store/command-store.ts';
import { AccountNumbers } from './account-numbers.ts';
import { ChangeLane } from './change-lane.ts';
import { ChangeQueue, GATHER_MS, type PendingChange } from './change-queue.ts';
import { InsertLane } from './insert-lane.ts';
import { type InsertOutcome, InsertQueue } from './insert-queue.ts';
import type { LocalStreams } from './local-streams.ts';
import { type Persist, persisting } from './persist.ts';

/**
 * Rows of one statement: large enough to amortise a round trip (500 gave 15.2 thousand lifecycles a second instead of 15.8), small
 * enough for a flush of a few milliseconds.
 */
const BATCH_ROWS_MAX = 1000;
/**
 * A lane begins beside the other when that many rows are written, or wait. Fewer are better written after each other: what waits
 * meanwhile shares a statement, and at 500 commands a second statements are what a command costs. New commands alone, begun beside
 * few changes, waited for the account's row as long as they had for their turn: 700 us of Postgres a command instead of 620.
 */
const SIDE_BY_SIDE_ROWS_MIN = 100;

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

/** What a ledger does at a moment: rows that are being written, and looks at what others wrote. */
interface UnderWay {
  insert: number;
  change: number;
  sync: number;
}

/**
 * The one place in a replica that writes an account's commands, and that learns what other replicas wrote.
 *
 * Callers enqueue. New commands and changes go in a lane each: what gathers while a lane writes becomes its next statement, so
 * batches grow with the load and an idle ledger answers in one round trip. Under load the lanes go side by side: while
 * Postgres works for one, the answer of the other is handled and its next statement made, which waits there for the account's
 * row. Answers are handled in the order of the account's numbers. Each write tells which numbers before it are not this
 * ledger's own: when that is more than it knew, others have written, and their changes to the executors held here are read
 * before anything new goes out. That keeps issue order across replicas.
 */
export class AccountLedger {
  readonly #accountId: string;
  readonly #deps: LedgerDependencies;
  readonly #persist: Persist;
  readonly #numbers: AccountNumbers;
  readonly #inserts = new InsertQueue();
  readonly #changes = new ChangeQueue();
  readonly #insertLane: InsertLane;
  readonly #changeLane: ChangeLane;
  readonly #underWay: UnderWay = { insert: 0, change: 0, sync: 0 };
  #latest: keyof UnderWay = 'sync';
  #syncWaiters: PromiseWithResolvers<void>[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #kicked = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(accountId: string, deps: LedgerDependencies) {
    this.#accountId = accountId;
    this.#deps = deps;
    this.#persist = persisting(() => this.#stopped, deps.logger, accountId);
    this.#numbers = new AccountNumbers(
      (after, through) => this.#persist('sync', () => this.#learn(after, through)),
      (thrown) => deps.logger.error({ err: thrown, accountId }, 'changes of other replicas not learnt'),
    );
    const announce = (commands: readonly Command[]): void => this.#announce(commands);
    const lane = { ...deps, accountId, numbers: this.#numbers, persist: this.#persist, announce };
    this.#insertLane = new InsertLane(lane);
    this.#changeLane = new ChangeLane(lane);
  }

  get knownNumber(): number {
    return this.#numbers.known;
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

  /** Resolves when nothing is queued or being written. From now on nothing is repeated while Postgres is away. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#changes.hurry();
    const stopped = new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#kick();
    return stopped;
  }

  #kick(): void {
    if (this.#kicked) return;
    this.#kicked = true;
    // One turn of the event loop gathers what arrives in the same frame or request.
    setImmediate(() => {
      this.#kicked = false;
      this.#begin();
    });
  }

  /** Kicks when the changes that gather are due. */
  #gather(): void {
    if (this.#gathering !== undefined) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#kick();
    }, GATHER_MS);
  }

  /** Begins whatever waits and can be begun: at the latest after one look, or one statement of the other lane. */
  #begin(): void {
    const { insert, change, sync } = this.#underWay;
    const changeWaits = this.#changes.isDue(performance.now());
    if (sync > 0) return;
    if (this.#syncWaiters.length > 0 && !(this.#latest === 'sync' && (this.#inserts.size > 0 || changeWaits))) {
      // What others wrote is looked at alone.
      if (insert + change === 0) void this.#run('sync', 1, this.#sync());
      return;
    }
    // Commands first, unless the latest statement was theirs and changes wait.
    if (changeWaits && this.#latest === 'insert' && insert === 0) this.#beginChange();
    this.#beginInsert();
    if (changeWaits) this.#beginChange();
    if (this.#underWay.insert + this.#underWay.change > 0) return;
    if (this.#changes.size > 0) this.#gather();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #beginInsert(): void {
    const { insert, change } = this.#underWay;
    if (this.#inserts.size === 0 || !mayBegin(insert, this.#inserts.size, change)) return;
    const batch = this.#inserts.take(BATCH_ROWS_MAX);
    void this.#run('insert', batch.length, this.#insertLane.write(batch));
  }

  #beginChange(): void {
    const { insert, change } = this.#underWay;
    if (this.#changes.size === 0 || !mayBegin(change, this.#changes.size, insert)) return;
    const batch = this.#changes.take(BATCH_ROWS_MAX);
    void this.#run('change', batch.length, this.#changeLane.write(batch));
  }

  async #run(what: keyof UnderWay, rows: number, writing: Promise<void>): Promise<void> {
    this.#underWay[what] = rows;
    this.#latest = what;
    await writing;
    this.#underWay[what] = 0;
    this.#changes.wrote(performance.now());
    this.#begin();
  }

  async #sync(): Promise<void> {
    const waiters = this.#syncWaiters.splice(0);
    try {
      const numbers = await this.#persist('sync', () => store.eventNumbers(this.#deps.pool, [this.#accountId]));
      await this.#numbers.learnThrough(numbers.get(this.#accountId) ?? 0);
      for (const { resolve } of waiters) resolve();
    } catch (thrown) {
      for (const { reject } of waiters) reject(thrown);
    }
  }

  /** Reads what was written after one number and up to another. */
  async #learn(afterNumber: number, throughNumber: number): Promise<void> {
    const { pool, streams } = this.#deps;
    const executorIds = streams.executorIds(this.#accountId);
    if (executorIds.length === 0) return;
    const read = await store.readChanged(pool, this.#accountId, afterNumber, throughNumber, executorIds);
    streams.setAside(read.unreadable);
    streams.merge(read.commands);
  }

  #announce(commands: readonly Command[]): void {
    if (commands.length === 0) return;
    for (const executorId of new Set(commands.map((command) => command.executorId))) {
      if (!this.#deps.streams.holds(executorId)) this.#deps.wake(executorId);
    }
    this.#deps.committed(this.#accountId);
  }
}

/** Whether a lane may begin with what waits, while so many rows are being written in it and in the other. */
function mayBegin(writing: number, waiting: number, writingBeside: number): boolean {
  return writing === 0 && (writingBeside === 0 || Math.max(waiting, writingBeside) >= SIDE_BY_SIDE_ROWS_MIN);
}
