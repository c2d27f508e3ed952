import { randomUUID } from 'node:crypto';
import { AccountLedger } from '../../services/command/delivery/account-ledger.ts';
import type { LocalStreams } from '../../services/command/delivery/local-streams.ts';
import type { Command, CommandError } from '../../services/command/domain/command.ts';
import { type IssueOrder, issue } from '../../services/command/domain/issue.ts';
import { KIND_POLICIES } from '../../services/command/domain/kind.ts';
import type { NewCommand } from '../../services/command/domain/repository.ts';
import { transition } from '../../services/command/domain/transition.ts';
import { CommandFlow } from '../../services/command/link/command-flow.ts';
import type { FlowOutput } from '../../services/command/link/flow-link.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { HeldAnswers } from './held-answers.ts';
import { EPOCH } from './ledger-scenes.ts';
import { sampleOrder } from './sample-commands.ts';

const ACCOUNT = 'main';
const WINDOW = 10_000;

/**
 * One replica of the command service that holds the stream of one executor: the account's ledger and the flow of that stream
 * as they run, on a database whose answers can be held back. What the agent would be sent is written down.
 */
export class FlowReplica implements AsyncDisposable {
  readonly executorId: string;
  readonly clock = new ManualClock(Date.now());
  readonly answers: HeldAnswers;
  readonly ledger: AccountLedger;
  readonly flow: CommandFlow;
  readonly delivered: string[] = [];

  private constructor(databaseUrl: string, executorId: string) {
    const logger = createLogger('test', 'silent');
    const { clock } = this;
    this.executorId = executorId;
    this.answers = new HeldAnswers(
      createPool({ databaseUrl, applicationName: 'flow test', connectionsMax: 4, logger }),
    );
    this.ledger = new AccountLedger(ACCOUNT, {
      pool: this.answers.pool,
      clock,
      logger,
      streams: this.#streams(),
      wake: () => undefined,
      committed: () => undefined,
    });
    const link = { executorId, epoch: EPOCH, journalId: 'j1', kinds: new Set(Object.keys(KIND_POLICIES)) };
    this.flow = new CommandFlow(link, WINDOW, {
      clock,
      logger,
      write: (change, mayGather) => this.ledger.write(change, mayGather),
      read: (commandIds) => this.ledger.read(commandIds),
      output: this.#output(),
    });
  }

  /** A replica that knows everything stored before, and whose stream sends. */
  static async open(databaseUrl: string, executorId: string): Promise<FlowReplica> {
    const replica = new FlowReplica(databaseUrl, executorId);
    await replica.ledger.sync();
    replica.flow.begin([], []);
    return replica;
  }

  /** Stores one new command; by default it is for the executor whose stream is held here. */
  async insert(order: Partial<IssueOrder>): Promise<Command> {
    const ids = { id: randomUUID(), accountId: ACCOUNT, executorId: this.executorId };
    const { command, step } = issue(sampleOrder({ ...ids, ...order }), this.clock.nowMs());
    const row: NewCommand = { command, step, sent: null };
    const [outcome = null] = await this.ledger.insert([row]);
    if (outcome instanceof Error) throw outcome;
    if (outcome === null) throw new Error('the request id is taken');
    return outcome;
  }

  /** Somebody asks for the command's end; false when it has moved on. */
  async cancel(command: Command): Promise<boolean> {
    const moved = transition(command, { type: 'cancel_requested' }, this.clock.nowMs());
    if (moved === null) throw new Error(`${command.state} cannot be cancelled`);
    const steps = [moved.step];
    return this.ledger.change({ command: moved.command, before: command, steps, fenceEpoch: 0 });
  }

  /** The agent reports the end of a first attempt: its success, or what failed. */
  finish(commandId: string, error: CommandError | null = null): void {
    const state = error === null ? 'SUCCEEDED' : 'FAILED';
    const atMs = this.clock.nowMs();
    this.flow.report([{ commandId, event: { type: 'finished', atMs, attempt: 1, state, result: null, error } }]);
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.flow.tick(this.clock.nowMs());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.answers.giveAll();
    this.flow.close();
    await this.ledger.stop();
    await this.answers.pool.end();
  }

  #streams(): LocalStreams {
    const holds = (executorId: string): boolean => executorId === this.executorId;
    return {
      executorIds: () => [this.executorId],
      holds,
      admit: (command, mayGo) => (holds(command.executorId) ? this.flow.admit(command, mayGo) : null),
      confirm: (command) => this.flow.confirm(command),
      release: (command) => this.flow.release(command),
      merge: (commands) => this.flow.merge(commands.filter(({ executorId }) => holds(executorId))),
      setAside: () => undefined,
    };
  }

  #output(): FlowOutput {
    return {
      deliver: ({ id }) => this.delivered.push(id),
      cancel: () => undefined,
      acknowledge: () => undefined,
      inquire: () => undefined,
      fenced: () => undefined,
    };
  }
}
