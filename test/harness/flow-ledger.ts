import type { PendingChange } from '../../services/command/delivery/change-queue.ts';
import type { Command } from '../../services/command/domain/command.ts';
import type { ChangedCommand, NewCommand, ReadCommands } from '../../services/command/domain/repository.ts';
import type { CommandFlow } from '../../services/command/link/command-flow.ts';

interface Insert {
  readonly command: Command;
  sent: NewCommand['sent'];
}

/** What the ledger is doing: statements take time, and the world goes on meanwhile. */
type Running =
  | { readonly type: 'changes'; readonly changes: readonly PendingChange[]; readonly rows: readonly ChangedCommand[] }
  | { readonly type: 'inserts'; readonly inserts: readonly Insert[] };

/** Where a ledger works: the stream that it serves now, that stream's epoch, and who wants to know of every write. */
export interface LedgerSurroundings {
  readonly flow: () => CommandFlow;
  readonly epoch: () => number;
  readonly recorded: (command: Command) => void;
}

/** A database in memory with a ledger in front that behaves as the real one, one phase of one statement at a time. */
export class FlowLedger {
  readonly store = new Map<string, Command>();
  readonly #around: LedgerSurroundings;
  #number = 0;
  #known = 0;
  /** Numbers under which others changed commands. */
  readonly #changedAt: { readonly number: number; readonly id: string }[] = [];
  #changes: PendingChange[] = [];
  #inserts: Insert[] = [];
  #running: Running | undefined;
  #answers: (() => void)[] = [];
  #reads: (() => void)[] = [];
  #rejectNext = false;

  constructor(around: LedgerSurroundings) {
    this.#around = around;
  }

  /** A statement is under way. */
  get busy(): boolean {
    return this.#running !== undefined || this.#answers.length > 0;
  }

  /** Commands that wait to be stored. */
  get inserting(): number {
    return this.#inserts.length;
  }

  insert(command: Command): void {
    this.#inserts.push({ command, sent: null });
  }

  write(change: PendingChange): void {
    this.#changes.push(change);
  }

  read(commandIds: readonly string[]): Promise<ReadCommands> {
    const answer = Promise.withResolvers<ReadCommands>();
    const commands = commandIds.flatMap((id) => this.store.get(id) ?? []);
    this.#reads.push(() => answer.resolve({ commands, unreadable: [] }));
    return answer.promise;
  }

  /** One row of the next batch of changes will be refused by the database. */
  rejectNext(): void {
    this.#rejectNext = true;
  }

  /** Another replica stores a new command, with the next number as its sequence. */
  issueElsewhere(command: Command): void {
    this.commitElsewhere({ ...command, sequence: this.#number + 1 });
  }

  /** Another replica's write is committed. */
  commitElsewhere(command: Command): void {
    this.#number += 1;
    this.#changedAt.push({ number: this.#number, id: command.id });
    this.#record(command);
  }

  /** Looks for what others have written, when nothing else is under way. */
  sync(): void {
    if (!this.busy) this.#learnThrough(this.#number);
  }

  /** Goes one phase on: takes a batch, has it stored, or gives the answer; then what was read arrives. */
  advance(batchMax: number): void {
    const answers = this.#answers.splice(0);
    if (answers.length > 0) {
      for (const answer of answers) answer();
      return;
    }
    const running = this.#running;
    this.#running = undefined;
    if (running?.type === 'changes') this.#commitChanges(running.changes, running.rows);
    else if (running?.type === 'inserts') this.#commitInserts(running.inserts);
    else if (this.#changes.length > 0) this.#takeChanges(batchMax);
    else if (this.#inserts.length > 0) this.#takeInserts(batchMax);
    for (const read of this.#reads.splice(0)) read();
  }

  #takeChanges(batchMax: number): void {
    const taken = new Set<string>();
    const changes = this.#changes.filter(({ commandId }) => {
      if (taken.size >= batchMax || taken.has(commandId)) return false;
      taken.add(commandId);
      return true;
    });
    this.#changes = this.#changes.filter((change) => !changes.includes(change));
    this.#running = { type: 'changes', changes, rows: changes.map((change) => change.take()) };
  }

  #takeInserts(batchMax: number): void {
    const inserts = this.#inserts.splice(0, batchMax);
    for (const [i, insert] of inserts.entries()) {
      insert.sent = this.#around.flow().admit({ ...insert.command, sequence: this.#known + 1 + i }, true);
    }
    this.#running = { type: 'inserts', inserts };
  }

  #commitChanges(changes: readonly PendingChange[], rows: readonly ChangedCommand[]): void {
    const base = this.#number;
    this.#number += changes.length;
    const rejected = this.#rejectNext ? 0 : -1;
    this.#rejectNext = false;
    const written = rows.map((row, i) => {
      const stored = this.store.get(row.command.id);
      const ours =
        stored?.version === row.fromVersion && (row.fenceEpoch === 0 || row.fenceEpoch === this.#around.epoch());
      if (ours && i !== rejected) this.#record(row.command);
      return ours;
    });
    this.#answers.push(() => {
      this.#learnOthers(base, changes.length);
      for (const [i, change] of changes.entries()) {
        if (i === rejected) change.reject(new Error('invalid byte sequence'));
        else change.resolve(written[i] ?? false);
      }
    });
  }

  #commitInserts(inserts: readonly Insert[]): void {
    const base = this.#number;
    this.#number += inserts.length;
    const reserved = base === this.#known;
    const stored = inserts.map(({ command, sent }, i) => {
      const now = reserved && sent !== null && sent.command.streamEpoch === this.#around.epoch();
      const row = { ...(now ? sent.command : command), sequence: base + 1 + i };
      this.#record(row);
      return row;
    });
    this.#answers.push(() => {
      const release = (i: number): void => {
        const sent = inserts[i]?.sent;
        if (sent !== null && sent !== undefined) this.#around.flow().release(sent.command);
      };
      if (!reserved) for (const i of inserts.keys()) release(i);
      this.#learnOthers(base, inserts.length);
      const pending: Command[] = [];
      for (const [i, row] of stored.entries()) {
        if (reserved && row.state === 'SENT') {
          this.#around.flow().confirm(row);
          continue;
        }
        if (reserved) release(i);
        pending.push(row);
      }
      this.#around.flow().merge(pending);
    });
  }

  #learnOthers(base: number, taken: number): void {
    if (base > this.#known) this.#learnThrough(base);
    this.#known = Math.max(this.#known, base + taken);
  }

  #learnThrough(number: number): void {
    const ids = this.#changedAt.filter((change) => change.number > this.#known && change.number <= number);
    this.#known = Math.max(this.#known, number);
    const commands = [...new Set(ids.map(({ id }) => id))].flatMap((id) => this.store.get(id) ?? []);
    this.#around.flow().merge(commands.toSorted((a, b) => a.sequence - b.sequence));
  }

  #record(command: Command): void {
    this.store.set(command.id, command);
    this.#around.recorded(command);
  }
}
