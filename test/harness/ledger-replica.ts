import type { Pool } from 'pg';
import { AccountLedger } from '../../services/command/delivery/account-ledger.ts';
import type { LocalStreams } from '../../services/command/delivery/local-streams.ts';
import type { Command } from '../../services/command/domain/command.ts';
import { issue, type IssueOrder } from '../../services/command/domain/issue.ts';
import type { ChangedCommand, NewCommand, UnreadableCommand } from '../../services/command/domain/repository.ts';
import { type CommandEvent, transition } from '../../services/command/domain/transition.ts';
import { systemClock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { sampleOrder } from './sample-commands.ts';

/** The streams of one replica as its ledger sees them: sends whatever it may, and writes down what it is told. */
export class RecordingStreams implements LocalStreams {
  /** Executors whose stream is held here, with its epoch. */
  readonly held = new Map<string, number>();
  readonly merged: Command[] = [];
  readonly confirmed: Command[] = [];
  readonly released: Command[] = [];
  readonly setAsideIds: string[] = [];
  readonly asked: { readonly command: Command; readonly mayGo: boolean }[] = [];

  executorIds(): readonly string[] {
    return [...this.held.keys()];
  }

  holds(executorId: string): boolean {
    return this.held.has(executorId);
  }

  admit(command: Command, mayGo: boolean): NewCommand['sent'] {
    const epoch = this.held.get(command.executorId);
    if (epoch === undefined) return null;
    this.asked.push({ command, mayGo });
    return mayGo ? transition(command, { type: 'sent', epoch, journalId: 'j1' }, Date.now()) : null;
  }

  confirm(command: Command): void {
    this.confirmed.push(command);
  }

  release(command: Command): void {
    this.released.push(command);
  }

  merge(commands: readonly Command[]): void {
    this.merged.push(...commands);
  }

  setAside(unreadable: readonly UnreadableCommand[]): void {
    this.setAsideIds.push(...unreadable.map(({ id }) => id));
  }
}

/** One replica of the command service as far as writing one account's commands goes. */
export class LedgerReplica implements AsyncDisposable {
  readonly accountId: string;
  readonly pool: Pool;
  readonly streams = new RecordingStreams();
  readonly ledger: AccountLedger;
  readonly woken: string[] = [];

  constructor(databaseUrl: string, accountId = 'main') {
    const logger = createLogger('test', 'silent');
    this.accountId = accountId;
    this.pool = createPool({ databaseUrl, applicationName: 'ledger test', connectionsMax: 4, logger });
    this.ledger = new AccountLedger(accountId, {
      pool: this.pool,
      clock: systemClock,
      logger,
      streams: this.streams,
      wake: (executorId) => this.woken.push(executorId),
      committed: () => undefined,
    });
  }

  /** Stores a new command; null when its request id is taken. */
  async insert(order: Partial<IssueOrder>): Promise<Command | null> {
    const { command, step } = issue(sampleOrder({ accountId: this.accountId, ...order }), Date.now());
    const [outcome = null] = await this.ledger.insert([{ command, step, sent: null }]);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** Applies an event to a command as it is known; gives the changed one, or null when somebody else was first. */
  async change(command: Command, event: CommandEvent, fenceEpoch = 0): Promise<Command | null> {
    const moved = transition(command, event, Date.now());
    if (moved === null) return null;
    const row: ChangedCommand = {
      command: moved.command,
      before: command,
      steps: [moved.step],
      fenceEpoch,
    };
    return (await this.ledger.change(row)) ? moved.command : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ledger.stop();
    await this.pool.end();
  }
}
