import { type Command, isTerminal } from '../../services/command/domain/command.ts';
import { isKind, KIND_POLICIES, type Kind, policyOf } from '../../services/command/domain/kind.ts';
import { related } from '../../services/command/domain/ordering-key.ts';
import { type CommandEvent, transition } from '../../services/command/domain/transition.ts';
import { CommandFlow } from '../../services/command/link/command-flow.ts';
import type { FlowOutput } from '../../services/command/link/flow-link.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { FlowAgent } from './flow-agent.ts';
import { FlowLedger, type Lane, LEDGER_PARTS, type LedgerPart } from './flow-ledger.ts';
import { SAMPLE_EXECUTOR_ID, sampleCommand, sampleId } from './sample-commands.ts';

/** As the sweeper: who holds the stream looks first. */
const OWNER_GRACE_MS = 5_000;
/** Long enough that nothing expires by itself, short enough that silence is noticed. */
const SPANS = { deliverWithinMs: 3_600_000, startWithinMs: 10_000, progressWithinMs: 10_000, finishWithinMs: 20_000 };
const TICK_MS = 250;
/** Steps after which a ledger has come to rest, if nothing in it waits for ever. */
const LEDGER_STEPS_MAX = 10_000;

/** One executor's stream with a database, a ledger, other replicas and an agent that do what a test tells them to. */
export class FlowWorld implements FlowOutput {
  readonly clock = new ManualClock();
  readonly agent: FlowAgent;
  /** Broken promises, in words. */
  readonly violations: string[] = [];
  /** Lines of the log, as JSON. */
  readonly warnings: string[] = [];
  readonly sent: string[] = [];
  readonly acknowledged: string[] = [];
  readonly cancelled: string[] = [];
  readonly inquired: string[] = [];
  flow: CommandFlow;
  window: number;
  fencedCalls = 0;
  /** What was decided under a wider window may arrive under a narrower one. */
  #windowMax: number;
  #connected = false;
  #epoch = 0;
  #begin: (() => void) | undefined;
  #issued = 0;
  readonly #ledger = new FlowLedger({
    flow: () => this.flow,
    epoch: () => this.#epoch,
    recorded: (command) => this.#recorded(command),
    answered: (id, isStored) => this.#answered(id, isStored),
    broke: (thrown) => this.violations.push(`the ledger broke: ${String(thrown)}`),
  });
  /** New commands whose callers have not been answered. */
  readonly #asked = new Set<string>();
  readonly #written = new Set<string>();
  /** Journal that may hold the command. */
  readonly #holder = new Map<string, string>();

  constructor(window = 3) {
    this.window = window;
    this.#windowMax = window;
    this.agent = new FlowAgent((facts) => this.flow.report(facts));
    this.#epoch = 1;
    this.#connected = true;
    this.flow = this.#newFlow();
    this.flow.begin([], []);
  }

  // What the platform's other parts do.

  get store(): ReadonlyMap<string, Command> {
    return this.#ledger.store;
  }

  /** Somebody issues a command through another replica. Gives its id. */
  issueElsewhere(kind: Kind, orderingKey: string, attemptsMax = 3): string {
    const command = this.#newCommand(kind, orderingKey, attemptsMax);
    this.#ledger.issueElsewhere(command);
    return command.id;
  }

  /** Somebody issues a command through the replica that holds the stream. */
  issueHere(kind: Kind, orderingKey: string, attemptsMax = 3): string {
    const command = this.#newCommand(kind, orderingKey, attemptsMax);
    this.#asked.add(command.id);
    this.#ledger.insert(command);
    return command.id;
  }

  /** Somebody changes a stored command; `told` says whether this replica learns it at once. */
  change(id: string, event: CommandEvent, told: boolean): void {
    const command = this.store.get(id);
    const moved = command === undefined ? null : transition(command, event, this.clock.nowMs(), () => 0.5);
    if (moved === null) return;
    this.#ledger.commitElsewhere(moved.command);
    if (told) this.flow.merge([moved.command]);
  }

  /** Another replica's write is committed, whatever it says. */
  commitElsewhere(command: Command): void {
    this.#ledger.commitElsewhere(command);
  }

  /** Another replica sweeps. */
  sweep(): void {
    const nowMs = this.clock.nowMs();
    for (const command of this.store.values()) {
      if (nowMs < command.dueMs || nowMs - command.dueMs < OWNER_GRACE_MS) continue;
      this.change(command.id, { type: 'overdue', linkAlive: this.#connected }, false);
    }
  }

  /** The ledger looks for what others have written. */
  sync(): void {
    this.#ledger.sync();
  }

  /** The ledger goes one step on, with one part or with all of them: takes a batch, has it committed, hears the answer. */
  ledger(part?: LedgerPart, batchMax = 100): void {
    for (const each of part === undefined ? LEDGER_PARTS : [part]) this.#ledger.advance(each, batchMax);
  }

  /** The answer to the lane's statement is lost; it may have been committed. */
  lose(lane: Lane): void {
    this.#ledger.lose(lane);
  }

  /** A statement that was lost on its way is committed after all, or never. */
  arrive(isCommitted: boolean): void {
    this.#ledger.arrive(isCommitted);
  }

  /** One row of the next batch of changes will be refused by the database. */
  rejectNext(): void {
    this.#ledger.rejectNext();
  }

  // What happens to the stream.

  /**
   * The stream breaks and a new one is accepted; with another journal, the old agent's memory is gone. Resolves when what is
   * open has been read: statements that were under way have ended by then, under the new epoch.
   */
  async reconnect(journalId?: string): Promise<void> {
    this.flow.close();
    if (journalId === undefined) this.agent.disconnect();
    else this.agent.replace(journalId);
    this.#epoch += 1;
    const flow = this.#newFlow();
    this.flow = flow;
    const journal = this.agent.journal();
    this.#begin = undefined;
    await this.#finished();
    this.sync();
    await this.#finished();
    const open = this.open();
    const unsettled = [...this.store.values()].filter((command) => command.unsettled);
    this.#begin = () => {
      flow.merge(open.toSorted((a, b) => a.sequence - b.sequence));
      flow.begin(unsettled, journal);
      this.agent.resync();
    };
  }

  /** What was read for the new stream has arrived. */
  begin(): void {
    const begin = this.#begin;
    this.#begin = undefined;
    begin?.();
  }

  setWindow(window: number): void {
    this.window = window;
    this.#windowMax = Math.max(this.#windowMax, window);
    this.flow.setInFlightMax(window);
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.flow.tick(this.clock.nowMs());
  }

  /** Lets everything come to rest: nothing is lost any more. Resolves when all ended, or after `roundsMax` ticks. */
  async rest(roundsMax: number): Promise<void> {
    this.begin();
    this.setWindow(Math.max(1, this.window));
    await this.#looked();
    this.#checkReached();
    for (let round = 0; round < roundsMax; round++) {
      this.agent.finishAll();
      this.agent.reportAll();
      await this.#looked();
      this.advance(TICK_MS);
      this.sweep();
      await settled();
      if (this.flow.size === 0 && this.open().length === 0 && !this.#ledger.busy) return;
    }
  }

  /** The ledger has written what waited, and has looked at what others wrote. */
  async #looked(): Promise<void> {
    await this.#drained();
    this.sync();
    await this.#drained();
  }

  async #drained(): Promise<void> {
    for (let step = 0; this.#ledger.busy && step < LEDGER_STEPS_MAX; step++) {
      this.ledger();
      await settled();
    }
    if (this.#ledger.busy) this.violations.push('the ledger does not come to rest');
  }

  async #finished(): Promise<void> {
    for (let step = 0; this.#ledger.underWay && step < LEDGER_STEPS_MAX; step++) {
      this.#ledger.finish();
      await settled();
    }
    if (this.#ledger.underWay) this.violations.push('a statement does not end');
  }

  open(): Command[] {
    return [...this.store.values()].filter((command) => !isTerminal(command.state));
  }

  // What the flow says.

  deliver(command: Command): void {
    this.sent.push(command.id);
    this.#checkDelivery(command);
    this.#holder.set(command.id, this.agent.journalId);
    this.agent.receive(command);
  }

  cancel(commandId: string): void {
    this.cancelled.push(commandId);
    this.agent.cancel(commandId);
  }

  acknowledge(commandId: string): void {
    this.acknowledged.push(commandId);
    this.#checkAcknowledgement(commandId);
    this.agent.acknowledge(commandId);
  }

  inquire(commandIds: readonly string[]): void {
    this.inquired.push(...commandIds);
    for (const id of commandIds) {
      if (this.store.get(id)?.journalId !== this.agent.journalId) {
        this.violations.push(`${id} is asked of a journal that cannot know`);
      }
    }
    this.agent.inquire(commandIds);
  }

  fenced(): void {
    this.fencedCalls += 1;
  }

  #checkDelivery(command: Command): void {
    const { id } = command;
    const stored = this.store.get(id);
    if (!this.#written.has(`${id} SENT ${command.attempt} ${this.#epoch}`)) {
      this.violations.push(`${id} was delivered before attempt ${command.attempt} was stored as sent`);
    }
    const holder = this.#holder.get(id);
    if (holder !== undefined && holder !== this.agent.journalId) {
      this.violations.push(`${id} was delivered to ${this.agent.journalId} while ${holder} may have it`);
    }
    const overtakes = overtaking(command);
    for (const earlier of this.store.values()) {
      if (earlier.sequence >= command.sequence || !related(earlier.orderingKey, command.orderingKey)) continue;
      if (overtakes || this.#over(earlier)) continue;
      this.violations.push(`${id} was delivered while ${earlier.id} (${earlier.state}) was in front of it`);
    }
    // The kill switch needs no credit, and takes none from others.
    const others = this.agent.busy().filter((other) => {
      const busy = this.store.get(other);
      return other !== id && busy !== undefined && !this.#over(busy) && !overtaking(busy);
    });
    if (!overtakes && others.length >= this.#windowMax && stored?.attempt === 1) {
      this.violations.push(`${id} was delivered beyond the window: ${others.join(', ')}`);
    }
  }

  /** The ledger is at rest and has looked at everything: all that is open is here, and whoever issued it knows. */
  #checkReached(): void {
    const open = this.open().map(({ id }) => id);
    // One that somebody else has ended may still be here: it learns that when it repeats a write that was refused.
    if (this.flow.size < open.length) {
      this.violations.push(`only ${this.flow.size} have reached the stream of ${open.join(', ')}`);
    }
    for (const id of this.#asked) this.violations.push(`${id}: the caller waits for an answer`);
  }

  /** Ended in the store, reported as ended, or out of time: what the flow may rest on. */
  #over(command: Command | undefined): boolean {
    if (command === undefined || isTerminal(command.state)) return true;
    return this.agent.hasReportedEnd(command.id) || this.clock.nowMs() >= command.dueMs;
  }

  #checkAcknowledgement(commandId: string): void {
    const stored = this.store.get(commandId);
    const told = this.agent.reportedEnd(commandId);
    if (told === undefined || stored === undefined) return;
    // An unknown outcome may have been settled meanwhile, by whatever the agent said besides.
    const settles = told.state === 'OUTCOME_UNKNOWN' && isTerminal(stored.state);
    const counted = told.passing && (stored.failures > 0 || isTerminal(stored.state));
    // Nor does an answer that comes after an operator's word change anything.
    const kept = settles || counted || stored.state === told.state || stored.settledBy !== null;
    if (!kept) this.violations.push(`${commandId}: ${told.state} was acknowledged, ${stored.state} is stored`);
  }

  // How writing works.

  #newFlow(): CommandFlow {
    const kinds = new Set(Object.keys(KIND_POLICIES).filter((kind) => kind !== 'get_status'));
    const link = { executorId: SAMPLE_EXECUTOR_ID, epoch: this.#epoch, journalId: this.agent.journalId, kinds };
    const epoch = this.#epoch;
    const current = (say: () => void): void => {
      // What an ended stream says reaches nobody.
      if (epoch === this.#epoch) say();
    };
    return new CommandFlow(link, this.window, {
      clock: this.clock,
      logger: createLogger('flow-world', 'warn', { write: (line) => this.warnings.push(line) }),
      write: (change) => this.#ledger.write(change),
      read: (commandIds) => this.#ledger.read(commandIds),
      output: {
        deliver: (command) => current(() => this.deliver(command)),
        cancel: (id) => current(() => this.cancel(id)),
        acknowledge: (id) => current(() => this.acknowledge(id)),
        inquire: (ids) => current(() => this.inquire(ids)),
        fenced: () => this.fenced(),
      },
    });
  }

  #recorded(command: Command): void {
    if (command.state === 'SENT') this.#written.add(`${command.id} SENT ${command.attempt} ${command.streamEpoch}`);
    if (command.state === 'PENDING') this.#holder.delete(command.id);
  }

  #answered(id: string, isStored: boolean): void {
    if (!this.#asked.delete(id)) this.violations.push(`${id}: the caller was answered twice`);
    if (isStored && !this.store.has(id)) this.violations.push(`${id} is not stored, and its caller was told so`);
  }

  #newCommand(kind: Kind, orderingKey: string, attemptsMax: number): Command {
    this.#issued += 1;
    const id = sampleId(this.#issued);
    return sampleCommand({ id, kind, orderingKey, attemptsMax, spans: SPANS }, {}, this.clock.nowMs());
  }
}

function overtaking({ kind }: Command): boolean {
  return isKind(kind) && policyOf(kind).overtakes;
}

/** Everything that can happen without another call of the test has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
