import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { type Command, isTerminal, type Step } from '../domain/command.ts';
import { DispatchQueue, type QueueItem } from '../domain/dispatch-queue.ts';
import { isKind, policyOf } from '../domain/kind.ts';
import type { ChangedCommand, NewCommand, ReadCommands } from '../domain/repository.ts';
import { type CommandEvent, transition } from '../domain/transition.ts';

/** What a flow says to the agent; each call is made after the fact that it rests on is durable. */
export interface FlowOutput {
  deliver(command: Command): void;
  cancel(commandId: string): void;
  acknowledge(commandId: string): void;
  inquire(commandIds: readonly string[]): void;
  /** A write was refused although the command had not changed: a newer stream may have taken over. */
  fenced(): void;
}

export interface FlowDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Writes through the account's ledger. */
  readonly change: (commandId: string, take: () => ChangedCommand) => Promise<boolean>;
  readonly read: (commandIds: readonly string[]) => Promise<ReadCommands>;
  readonly output: FlowOutput;
}

/** An agent's stream as far as commands are concerned. */
export interface FlowLink {
  readonly executorId: string;
  readonly epoch: number;
  readonly journalId: string;
  readonly kinds: ReadonlySet<string>;
}

/** One command that the agent's journal holds, from its Hello. */
export interface JournaledCommand {
  readonly commandId: string;
  readonly stage: 'received' | 'running' | 'finished';
}

/** One fact about one command, from the agent. */
export interface AgentFact {
  readonly commandId: string;
  readonly event: Extract<CommandEvent, { type: 'received' | 'started' | 'progressed' | 'finished' | 'not_found' }>;
}

interface Live {
  /** As stored. */
  durable: Command;
  /** With everything that happened since. */
  current: Command;
  /** What happened since, for the history and to do again on top of somebody else's change. */
  steps: Step[];
  events: CommandEvent[];
  saving: boolean;
  /** To be said when what happened is durable. */
  deliver: boolean;
  acknowledge: boolean;
}

/**
 * The open commands of one connected executor: decides what is sent, applies what the agent reports, writes every change
 * before anything rests on it. The state in memory runs ahead of the stored one by what is being written; a write that was
 * overtaken by somebody else's is done again on top of theirs.
 */
export class CommandFlow {
  readonly #link: FlowLink;
  readonly #deps: FlowDependencies;
  readonly #queue = new DispatchQueue();
  readonly #live = new Map<string, Live>();
  #inFlight = 0;
  #inFlightMax: number;
  #open = false;
  #closed = false;
  #nextDueMs = Infinity;

  constructor(link: FlowLink, inFlightMax: number, deps: FlowDependencies) {
    this.#link = link;
    this.#inFlightMax = inFlightMax;
    this.#deps = deps;
  }

  get size(): number {
    return this.#live.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Agrees with the agent on what it holds, then begins to send. */
  begin(unsettled: readonly Command[], journal: readonly JournaledCommand[]): void {
    const nowMs = this.#deps.clock.nowMs();
    const held = new Map(journal.map((entry) => [entry.commandId, entry]));
    for (const live of [...this.#live.values()]) {
      if (live.current.state === 'PENDING') continue;
      this.#apply(live, reconciling(live.current, held.get(live.current.id), this.#link.journalId, nowMs));
      if (live.current.cancelRequestMs !== null && !isTerminal(live.current.state)) {
        this.#deps.output.cancel(live.current.id);
      }
    }
    if (unsettled.length > 0) this.#deps.output.inquire(unsettled.map((command) => command.id));
    this.#open = true;
    this.pump();
  }

  /** Sends nothing more; what the agent reports is still taken. */
  hold(): void {
    this.#open = false;
  }

  close(): void {
    this.#open = false;
    this.#closed = true;
  }

  setInFlightMax(inFlightMax: number): void {
    this.#inFlightMax = inFlightMax;
    this.pump();
  }

  /** Takes commands as they are stored now: new ones, and ones that somebody else changed. */
  merge(commands: readonly Command[]): void {
    for (const command of commands) {
      const live = this.#live.get(command.id);
      if (live === undefined) {
        if (!isTerminal(command.state)) this.#adopt(command);
        continue;
      }
      // A write that is under way finds out by itself that it was overtaken.
      if (command.version <= live.durable.version || live.saving || live.steps.length > 0) continue;
      const before = live.current;
      live.durable = command;
      live.current = command;
      this.#track(before, command);
      if (command.cancelRequestMs !== null && before.cancelRequestMs === null && !isTerminal(command.state)) {
        this.#deps.output.cancel(command.id);
      }
      this.#forgetIfDone(live);
    }
    this.pump();
  }

  /** Reserves the place of a command that is about to be stored, if it could go out at once; null if it has to wait. */
  admit(command: Command): NewCommand['sent'] {
    if (!this.#open || this.#inFlight >= this.#inFlightMax || !this.#link.kinds.has(command.kind)) return null;
    this.#queue.add(itemOf(command), true);
    const moved =
      this.#queue.next() === command.id ? transition(command, this.#sentEvent(), this.#deps.clock.nowMs()) : null;
    if (moved === null) {
      this.#queue.remove(command.id);
      return null;
    }
    this.#live.set(command.id, newLive(moved.command));
    this.#track(command, moved.command);
    return moved;
  }

  /** The reserved command is stored as SENT. */
  confirm(command: Command): void {
    if (this.#live.has(command.id) && !this.#closed) this.#deps.output.deliver(command);
  }

  /** The reserved command was not stored, or only as PENDING. */
  release(command: Command): void {
    const live = this.#live.get(command.id);
    if (live === undefined) return;
    this.#live.delete(command.id);
    this.#inFlight -= 1;
    this.#queue.remove(command.id);
    this.pump();
  }

  /** Applies what the agent reports; a result is acknowledged when it is durable. */
  report(facts: readonly AgentFact[]): void {
    const strangers: AgentFact[] = [];
    for (const fact of facts) {
      const live = this.#live.get(fact.commandId);
      if (live === undefined) {
        strangers.push(fact);
        continue;
      }
      if (fact.event.type === 'finished') live.acknowledge = true;
      this.#apply(live, fact.event);
      // A repeated result whose first report is durable already.
      if (live.acknowledge && live.steps.length === 0 && !live.saving) this.#afterWrite(live);
    }
    if (strangers.length > 0) {
      this.#reportStrangers(strangers).catch((thrown: unknown) => {
        // Not acknowledged: the agent reports them again on its next stream.
        this.#deps.logger.warn({ err: thrown, facts: strangers.length }, 'facts about other commands not taken');
      });
    }
    this.pump();
  }

  /** Sends what may be sent now. */
  pump(): void {
    while (this.#open && this.#inFlight < this.#inFlightMax) {
      const id = this.#queue.next();
      const live = id === undefined ? undefined : this.#live.get(id);
      if (live === undefined) return;
      const nowMs = this.#deps.clock.nowMs();
      if (nowMs >= live.current.dueMs) this.#apply(live, { type: 'overdue', linkAlive: true });
      else if (this.#link.kinds.has(live.current.kind)) this.#apply(live, this.#sentEvent());
      else this.#apply(live, refusal(live.current.kind));
    }
  }

  /** Looks after what has fallen due: receipts that did not come, retries whose backoff is over, deadlines. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextDueMs || this.#closed) return;
    this.#nextDueMs = Infinity;
    for (const live of [...this.#live.values()]) {
      const { current } = live;
      if (current.state === 'PENDING' && current.retryMs !== null && nowMs >= current.retryMs) {
        this.#queue.setWaiting(current.id, true);
      }
      if (nowMs >= current.dueMs) {
        this.#apply(live, mayResend(current, nowMs) ? this.#sentEvent() : { type: 'overdue', linkAlive: true });
      }
      this.#noteDue(live.current, nowMs);
    }
    this.pump();
  }

  #adopt(command: Command): void {
    this.#live.set(command.id, newLive(command));
    const waiting = command.state === 'PENDING' && (command.retryMs ?? 0) <= this.#deps.clock.nowMs();
    this.#queue.add(itemOf(command), waiting);
    if (command.state !== 'PENDING') this.#inFlight += 1;
    this.#noteDue(command, 0);
  }

  #apply(live: Live, event: CommandEvent): void {
    const before = live.current;
    const moved = transition(before, event, this.#deps.clock.nowMs());
    if (moved === null) return;
    live.current = moved.command;
    live.steps.push(moved.step);
    live.events.push(event);
    if (event.type === 'sent') live.deliver = true;
    this.#track(before, moved.command);
    this.#save(live);
  }

  /** Keeps queue and window in step with a change of state. */
  #track(before: Command, after: Command): void {
    const wasInFlight = inFlight(before);
    const isInFlight = inFlight(after);
    if (wasInFlight !== isInFlight) this.#inFlight += isInFlight ? 1 : -1;
    if (isTerminal(after.state)) this.#queue.remove(after.id);
    else
      this.#queue.setWaiting(after.id, after.state === 'PENDING' && (after.retryMs ?? 0) <= this.#deps.clock.nowMs());
    this.#noteDue(after, 0);
  }

  #noteDue(command: Command, nowMs: number): void {
    const retryMs = command.retryMs !== null && command.retryMs > nowMs ? command.retryMs : Infinity;
    this.#nextDueMs = Math.min(this.#nextDueMs, command.dueMs, retryMs);
  }

  #save(live: Live): void {
    if (live.saving) return;
    live.saving = true;
    this.#write(live).catch((thrown: unknown) => {
      this.#deps.logger.error({ err: thrown, commandId: live.durable.id }, 'command left to the sweeper');
      this.#drop(live);
    });
  }

  async #write(live: Live): Promise<void> {
    let taken: { command: Command; events: CommandEvent[]; deliver: boolean } | undefined;
    const written = await this.#deps.change(live.durable.id, () => {
      const row = {
        command: live.current,
        fromVersion: live.durable.version,
        steps: live.steps,
        fenceEpoch: this.#link.epoch,
      };
      taken = { command: live.current, events: live.events, deliver: live.deliver };
      live.steps = [];
      live.events = [];
      live.deliver = false;
      return row;
    });
    if (taken === undefined) throw new Error('the ledger answered without taking the change');
    if (written) {
      live.durable = taken.command;
      live.saving = false;
      if (taken.deliver && taken.command.state === 'SENT' && !this.#closed) this.#deps.output.deliver(taken.command);
      this.#afterWrite(live);
    } else {
      await this.#overtaken(live, taken.events);
    }
  }

  #afterWrite(live: Live): void {
    if (live.acknowledge && !live.events.some((event) => event.type === 'finished')) {
      live.acknowledge = false;
      this.#deps.output.acknowledge(live.durable.id);
    }
    if (live.steps.length > 0) this.#save(live);
    else this.#forgetIfDone(live);
    this.pump();
  }

  /** Somebody else wrote first, or our stream is no longer the newest: take theirs and do ours again on top. */
  async #overtaken(live: Live, events: readonly CommandEvent[]): Promise<void> {
    const { commands } = await this.#deps.read([live.durable.id]);
    const stored = commands[0];
    if (stored === undefined) {
      this.#drop(live);
      return;
    }
    if (stored.version === live.durable.version) {
      this.#deps.output.fenced();
      return;
    }
    const again = [...events, ...live.events];
    const before = live.current;
    live.durable = stored;
    live.current = stored;
    live.steps = [];
    live.events = [];
    live.saving = false;
    live.deliver = false;
    this.#track(before, stored);
    if (stored.cancelRequestMs !== null && before.cancelRequestMs === null) this.#deps.output.cancel(stored.id);
    for (const event of again) this.#apply(live, event);
    if (!live.saving) this.#afterWrite(live);
  }

  #forgetIfDone(live: Live): void {
    if (isTerminal(live.durable.state) && live.steps.length === 0 && !live.saving) this.#live.delete(live.durable.id);
  }

  #drop(live: Live): void {
    if (inFlight(live.current)) this.#inFlight -= 1;
    this.#live.delete(live.durable.id);
    this.#queue.remove(live.durable.id);
  }

  /** Facts about commands that are not open here: repeats, late results, answers to an inquiry. */
  async #reportStrangers(facts: readonly AgentFact[]): Promise<void> {
    const { commands } = await this.#deps.read([...new Set(facts.map((fact) => fact.commandId))]);
    const stored = new Map(commands.map((command) => [command.id, command]));
    for (const fact of facts) {
      const command = stored.get(fact.commandId);
      if (command !== undefined && command.executorId === this.#link.executorId) {
        if (!isTerminal(command.state)) this.merge([command]);
        else if (!this.#live.has(command.id)) this.#live.set(command.id, newLive(command));
        const live = this.#live.get(command.id);
        if (live !== undefined) {
          this.report([fact]);
          if (!live.acknowledge) this.#forgetIfDone(live);
          continue;
        }
      }
      this.#deps.logger.warn({ commandId: fact.commandId }, 'agent reports a command that is not its own');
      if (fact.event.type === 'finished') this.#deps.output.acknowledge(fact.commandId);
    }
  }

  #sentEvent(): CommandEvent {
    return { type: 'sent', epoch: this.#link.epoch, journalId: this.#link.journalId };
  }
}

function newLive(command: Command): Live {
  return {
    durable: command,
    current: command,
    steps: [],
    events: [],
    saving: false,
    deliver: false,
    acknowledge: false,
  };
}

function inFlight(command: Command): boolean {
  return command.state === 'SENT' || command.state === 'RECEIVED' || command.state === 'RUNNING';
}

function itemOf(command: Command): QueueItem {
  const overtakes = isKind(command.kind) && policyOf(command.kind).overtakes;
  return {
    id: command.id,
    sequence: command.sequence,
    orderingKey: command.orderingKey,
    lane: command.lane,
    overtakes,
  };
}

function mayResend(command: Command, nowMs: number): boolean {
  const { deliverByMs, notAfterMs } = command.deadlines;
  return (
    command.state === 'SENT' &&
    command.resends + 1 < command.attemptsMax &&
    nowMs < deliverByMs &&
    nowMs < (notAfterMs ?? Infinity)
  );
}

function refusal(kind: string): CommandEvent {
  return {
    type: 'refused',
    error: {
      reason: 'KIND_UNSUPPORTED',
      message: `the connected agent does not execute ${kind}`,
      hop: 'agent',
      retryable: false,
      metadata: { kind },
    },
  };
}

/** What the agent's journal says of a command that had been sent. */
function reconciling(
  command: Command,
  entry: JournaledCommand | undefined,
  journalId: string,
  nowMs: number,
): CommandEvent {
  if (entry === undefined) return { type: command.journalId === journalId ? 'not_received' : 'journal_lost' };
  return { type: entry.stage === 'running' ? 'started' : 'received', atMs: nowMs };
}
