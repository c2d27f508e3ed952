import { DatabaseError } from 'pg';
import { AccountNumbers, type Flight, type Taken } from '../../services/command/delivery/account-numbers.ts';
import type { PendingChange } from '../../services/command/delivery/change-queue.ts';
import type { Command } from '../../services/command/domain/command.ts';
import type { ChangedCommand, NewCommand, ReadCommands } from '../../services/command/domain/repository.ts';
import type { CommandFlow } from '../../services/command/link/command-flow.ts';
import { AccountRow } from './account-row.ts';

export type Lane = 'insert' | 'change';
/** What goes on by steps that a test chooses: the statements of two lanes, and what is read. */
export type LedgerPart = Lane | 'read';
export const LEDGER_PARTS: readonly LedgerPart[] = ['insert', 'change', 'read'];

const OTHERS = 'another replica';
/** Says nothing of whether the statement was committed. */
const LOST = new Error('Connection terminated unexpectedly');
const REFUSED = new DatabaseError('invalid byte sequence', 0, 'error');

/** A new command, and as it is sent when it may go out at once. */
type Insert = Pick<NewCommand, 'command' | 'sent'>;

interface Change {
  readonly change: PendingChange;
  readonly row: ChangedCommand;
}

/** Where a ledger works: the stream that it serves now, that stream's epoch, and who wants to know what. */
export interface LedgerSurroundings {
  readonly flow: () => CommandFlow;
  readonly epoch: () => number;
  /** Hears of every write. */
  readonly recorded: (command: Command) => void;
  /** What the caller of a new command is told: that it is stored, or that nobody knows. */
  readonly answered: (commandId: string, isStored: boolean) => void;
  readonly broke: (thrown: unknown) => void;
}

/**
 * A database in memory with a ledger in front that behaves as the real one. Each of its two lanes takes a batch, has it
 * committed and hears the answer, in steps of their own, so the statements of one overtake those of the other wherever a test
 * wants it. The numbers are looked after by the real ledger's own part.
 */
export class FlowLedger {
  readonly store = new Map<string, Command>();
  readonly #around: LedgerSurroundings;
  readonly #row = new AccountRow();
  /** Who was written under which number. */
  readonly #history: { readonly number: number; readonly id: string }[] = [];
  readonly #numbers: AccountNumbers;
  #changes: PendingChange[] = [];
  #inserts: Command[] = [];
  readonly #running = new Set<Lane | 'sync'>();
  /** Statements that wait for their next step. */
  readonly #steps = new Map<Lane, PromiseWithResolvers<void>>();
  /** Statements whose connection was lost before they were committed. */
  readonly #adrift: (() => void)[] = [];
  #reads: (() => void)[] = [];
  #rejectNext = false;

  constructor(around: LedgerSurroundings) {
    this.#around = around;
    this.#numbers = new AccountNumbers((after, through) => this.#learn(after, through), around.broke);
    void this.#numbers.learnThrough(0);
  }

  /** Statements, or a look at what others wrote, are under way. */
  get underWay(): boolean {
    return this.#running.size > 0;
  }

  /** Something is under way, or waits. */
  get busy(): boolean {
    return this.underWay || this.#inserts.length + this.#changes.length + this.#reads.length > 0;
  }

  insert(command: Command): void {
    this.#inserts.push(command);
  }

  write(change: PendingChange): void {
    this.#changes.push(change);
  }

  read(commandIds: readonly string[]): Promise<ReadCommands> {
    const commands = [...new Set(commandIds)].flatMap((id) => this.store.get(id) ?? []);
    return new Promise((resolve) => this.#reads.push(() => resolve({ commands, unreadable: [] })));
  }

  /** One row of the next batch of changes will be refused by the database. */
  rejectNext(): void {
    this.#rejectNext = true;
  }

  /** Another replica stores a new command, with the next number as its sequence. */
  issueElsewhere(command: Command): void {
    this.commitElsewhere({ ...command, sequence: this.#row.eventNumber + 1 });
  }

  /** Another replica's write is committed. */
  commitElsewhere(command: Command): void {
    this.#record(this.#row.take(OTHERS, 1).baseNumber + 1, command);
  }

  /** Looks for what others have written, when nothing else is under way. */
  sync(): void {
    if (!this.underWay) this.#run('sync', this.#numbers.learnThrough(this.#row.eventNumber));
  }

  /** Goes one step on. A lane takes a batch, has it committed, or hears the answer; or what was read arrives. */
  advance(part: LedgerPart, batchMax: number): void {
    if (part === 'read') {
      for (const read of this.#reads.splice(0)) read();
      return;
    }
    const step = this.#steps.get(part);
    this.#steps.delete(part);
    step?.resolve();
    if (this.#running.has(part) || this.#running.has('sync')) return;
    if (part === 'insert' && this.#inserts.length > 0) this.#run(part, this.#insert(this.#inserts.splice(0, batchMax)));
    if (part === 'change' && this.#changes.length > 0) this.#run(part, this.#change(this.#takeChanges(batchMax)));
  }

  /** What is under way goes one step on; nothing new begins. */
  finish(): void {
    for (const part of LEDGER_PARTS) if (part === 'read' || this.#running.has(part)) this.advance(part, 0);
  }

  /** The lane's connection is lost with the answer, or before the statement was committed. */
  lose(lane: Lane): void {
    this.#steps.get(lane)?.reject(LOST);
    this.#steps.delete(lane);
  }

  /** A statement whose connection was lost gets to the database after all, or never. */
  arrive(isCommitted: boolean): void {
    const commit = this.#adrift.shift();
    try {
      if (isCommitted) commit?.();
    } catch {
      // Refused, and nobody is there to hear it.
    }
  }

  #run(what: Lane | 'sync', work: Promise<void>): void {
    this.#running.add(what);
    void work.catch(this.#around.broke).finally(() => this.#running.delete(what));
  }

  /** As the real insert lane. */
  async #insert(commands: readonly Command[]): Promise<void> {
    const flight = await this.#numbers.begin();
    const place = (i: number): number => flight.known + (i + 1) / (commands.length + 1);
    const inserts = commands.map((command, i) => ({
      command,
      sent: this.#around.flow().admit({ ...command, sequence: place(i) }, true),
    }));
    try {
      const { taken, stored } = await this.#send('insert', () => this.#commitInserts(inserts, flight));
      const anySent = stored.some(({ state }) => state === 'SENT');
      if (!anySent) this.#release(inserts);
      await this.#numbers.took(flight, taken, inserts.length);
      this.#answer(anySent ? inserts : commands.map((command) => ({ command, sent: null })), stored);
    } catch (thrown) {
      this.#numbers.failed(flight, thrown);
      this.#release(inserts);
      for (const { id } of commands) this.#around.answered(id, false);
      if (thrown !== LOST) throw thrown;
    } finally {
      this.#numbers.over(flight);
    }
  }

  #commitInserts(inserts: readonly Insert[], flight: Flight): { taken: Taken; stored: readonly Command[] } {
    const taken = this.#row.take(flight.writer, inserts.length);
    const stored = inserts.map(({ command, sent }, i) => {
      const isSent = taken.runFrom <= flight.known && sent?.command.streamEpoch === this.#around.epoch();
      const sequence = taken.baseNumber + i + 1;
      return this.#record(sequence, { ...(isSent ? sent.command : command), sequence });
    });
    return { taken, stored };
  }

  #answer(inserts: readonly Insert[], stored: readonly Command[]): void {
    const pending: Command[] = [];
    for (const [i, command] of stored.entries()) {
      const sent = inserts[i]?.sent ?? null;
      if (sent !== null && command.state === 'SENT') this.#around.flow().confirm(command);
      else {
        if (sent !== null) this.#around.flow().release(sent.command);
        pending.push(command);
      }
      this.#around.answered(command.id, true);
    }
    this.#around.flow().merge(pending);
  }

  #release(inserts: readonly Insert[]): void {
    for (const { sent } of inserts) if (sent !== null) this.#around.flow().release(sent.command);
  }

  /** Takes at most one a command. */
  #takeChanges(batchMax: number): Change[] {
    const taken = new Map<string, PendingChange>();
    for (const change of this.#changes) {
      if (taken.size < batchMax && !taken.has(change.commandId)) taken.set(change.commandId, change);
    }
    this.#changes = this.#changes.filter((change) => taken.get(change.commandId) !== change);
    return [...taken.values()].map((change) => ({ change, row: change.take() }));
  }

  /** As the real change lane: each gets a statement of its own when the database refuses the one of all. */
  async #change(batch: readonly Change[]): Promise<void> {
    try {
      await this.#write(batch);
    } catch (thrown) {
      if (thrown !== REFUSED) throw thrown;
      if (batch.length > 1) for (const one of batch) await this.#change([one]);
      else batch[0]?.change.reject(thrown);
    }
  }

  /** Repeats the statement while its answer is lost. */
  async #write(batch: readonly Change[]): Promise<void> {
    const flight = await this.#numbers.begin();
    try {
      const { taken, written } = await this.#send('change', () => this.#commitChanges(batch, flight));
      await this.#numbers.took(flight, taken, batch.length);
      for (const { change } of batch) change.resolve(written.has(change.commandId));
      return;
    } catch (thrown) {
      this.#numbers.failed(flight, thrown);
      if (thrown !== LOST) throw thrown;
    } finally {
      this.#numbers.over(flight);
    }
    await this.#write(batch);
  }

  #commitChanges(batch: readonly Change[], { writer }: Flight): { taken: Taken; written: ReadonlySet<string> } {
    if (this.#rejectNext) {
      // The first row is the bad one, also alone.
      this.#rejectNext = batch.length > 1;
      throw REFUSED;
    }
    const taken = this.#row.take(writer, batch.length);
    const written = new Set<string>();
    for (const [i, { row }] of batch.entries()) {
      if (this.store.get(row.command.id)?.version !== row.before.version) continue;
      if (row.fenceEpoch !== 0 && row.fenceEpoch !== this.#around.epoch()) continue;
      this.#record(taken.baseNumber + i + 1, row.command);
      written.add(row.command.id);
    }
    return { taken, written };
  }

  /** A statement: committed with its next step, answered with the one after that. */
  async #send<T>(lane: Lane, commit: () => T): Promise<T> {
    try {
      await this.#step(lane);
    } catch (thrown) {
      this.#adrift.push(commit);
      throw thrown;
    }
    const answer = commit();
    await this.#step(lane);
    return answer;
  }

  #step(lane: Lane): Promise<void> {
    const step = Promise.withResolvers<void>();
    this.#steps.set(lane, step);
    return step.promise;
  }

  async #learn(after: number, through: number): Promise<void> {
    const written = this.#history.filter(({ number }) => number > after && number <= through);
    const { commands } = await this.read(written.map(({ id }) => id));
    this.#around.flow().merge(commands.toSorted((a, b) => a.sequence - b.sequence));
  }

  #record(number: number, command: Command): Command {
    this.#history.push({ number, id: command.id });
    this.store.set(command.id, command);
    this.#around.recorded(command);
    return command;
  }
}
