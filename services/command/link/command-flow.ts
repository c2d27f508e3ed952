import { backoffMs } from '../../platform/backoff.ts';
import { SlotMap } from '../../platform/slot-map.ts';
import { type Command, isTerminal } from '../domain/command.ts';
import { DispatchQueue } from '../domain/dispatch-queue.ts';
import type { NewCommand } from '../domain/repository.ts';
import { type CommandEvent, transition } from '../domain/transition.ts';
import { TurnedAway } from '../domain/turned-away.ts';
import { OVERTAKING_MAX, WRITE_BACKOFF, WRITE_TRIES_MAX } from './flow-limits.ts';
import type { AgentFact, FlowDependencies, FlowLink } from './flow-link.ts';
import {
  inFlight,
  isSaved,
  isWaiting,
  itemOf,
  mayAcknowledge,
  type JournaledCommand,
  type LiveCommand,
  mayResend,
  newLive,
  reconciling,
  refusal,
  replaceByStored,
  sentOn,
  tellLateAnswer,
} from './live-command.ts';
import { LiveWrite, type TakenChange, type WriteEnds } from './live-write.ts';

/**
 * The open commands of one connected executor: decides what is sent, applies what the agent reports, writes every change
 * before anything rests on it. The state in memory runs ahead of the stored one by what is being written; a write that was
 * overtaken by somebody else's is done again on top of theirs.
 */
export class CommandFlow {
  readonly #link: FlowLink;
  readonly #deps: FlowDependencies;
  readonly #queue = new DispatchQueue();
  readonly #live = new SlotMap<string, LiveCommand>();
  #inFlight = 0;
  #inFlightMax: number;
  /** The agent's journal and ours have been compared: until then nothing that was sent before may be judged. */
  #begun = false;
  #open = false;
  #closed = false;
  #nextDueMs = Infinity;
  /** Highest sequence of a stored command that was seen here. */
  #newest = -1;
  /** What the agent has been asked about and was not sent since: only then does its "not found" say anything. */
  readonly #asked = new Set<string>();
  /** Commands of the ledger's present batch that could not be admitted. */
  readonly #turnedAway = new TurnedAway();
  readonly #ends: WriteEnds = {
    written: (live, taken) => this.#written(live, taken),
    overtaken: (live) => {
      this.#overtaken(live).catch((thrown: unknown) => this.#writeFailed(live, thrown));
    },
    failed: (live, thrown) => this.#writeFailed(live, thrown),
  };

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
    for (const live of this.#live.values()) {
      if (live.current.state === 'PENDING') continue;
      const entry = held.get(live.current.id);
      // Not in the Hello, which lists what is open there: it may have come after that was written, or have ended and been
      // acknowledged by a platform whose database was restored since. The agent is asked.
      if (entry === undefined && live.current.journalId === this.#link.journalId) this.#asked.add(live.current.id);
      else this.#apply(live, reconciling(entry, nowMs));
      if (live.current.cancelRequestMs !== null && !isTerminal(live.current.state)) {
        this.#deps.output.cancel(live.current.id);
      }
    }
    // Another journal cannot know, and its "not found" would be a lie.
    for (const command of unsettled) if (command.journalId === this.#link.journalId) this.#asked.add(command.id);
    if (this.#asked.size > 0) this.#deps.output.inquire([...this.#asked]);
    this.#begun = true;
    this.#open = !this.#closed;
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
      if (command.version <= live.durable.version || live.reserved || !isSaved(live)) continue;
      const before = live.current;
      live.durable = command;
      live.current = command;
      this.#track(before, command);
      if (command.cancelRequestMs !== null && before.cancelRequestMs === null && !isTerminal(command.state)) {
        this.#deps.output.cancel(command.id);
      }
      this.#disown(live);
      this.#forgetIfDone(live);
    }
    this.pump();
  }

  /** Reserves the place of a command that is about to be stored, if it could go out at once; null if it has to wait. */
  admit(command: Command, mayGo: boolean): NewCommand['sent'] {
    if (!this.#open || !this.#hasCredit(command)) return null;
    // The number is somebody else's already: the ledger has not learnt of it yet, and will not store this one as sent.
    if (command.sequence <= this.#newest) return null;
    const heldBack = this.#turnedAway.holdBack(command, this.#newest) && !itemOf(command).overtakes;
    if (!mayGo || heldBack || !this.#link.kinds.has(command.kind)) {
      this.#turnedAway.add(command);
      return null;
    }
    this.#queue.add(itemOf(command), true);
    const moved =
      this.#queue.next() === command.id ? transition(command, sentOn(this.#link), this.#deps.clock.nowMs()) : null;
    if (moved === null) {
      this.#queue.remove(command.id);
      this.#turnedAway.add(command);
      return null;
    }
    this.#live.set(command.id, newLive(moved.command, true));
    this.#track(command, moved.command);
    return moved;
  }

  /** The reserved command is stored as SENT, with its number. */
  confirm(command: Command): void {
    const live = this.#live.get(command.id);
    if (live?.reserved !== true) return;
    live.reserved = false;
    live.durable = command;
    live.current = command;
    this.#newest = Math.max(this.#newest, command.sequence);
    if (!this.#closed) this.#deps.output.deliver(command, true);
  }

  /** The reserved command was not stored, or only as PENDING. */
  release(command: Command): void {
    const live = this.#live.get(command.id);
    if (live?.reserved !== true) return;
    this.#drop(live);
    this.pump();
  }

  /** Applies what the agent reports; a result is acknowledged when it is durable. */
  report(facts: readonly AgentFact[]): void {
    const strangers: AgentFact[] = [];
    for (const fact of facts) {
      const live = this.#live.get(fact.commandId);
      if (live === undefined || live.reserved) strangers.push(fact);
      else this.#take(live, fact.event);
    }
    if (strangers.length > 0) {
      this.#reportStrangers(strangers).catch((thrown: unknown) => {
        // Not acknowledged: the agent reports them again on its next stream.
        this.#deps.logger.warn({ err: thrown, facts: strangers.length }, 'facts about other commands not taken');
      });
    }
    this.pump();
  }

  #take(live: LiveCommand, event: AgentFact['event']): void {
    // Only the journal that a command was sent to can say that it never came, and only of what is not on its way again.
    const isAnswer = this.#asked.delete(live.current.id) && live.current.journalId === this.#link.journalId;
    if (event.type === 'not_found' && !isAnswer) return;
    const said = event.type === 'finished' && isAnswer ? { ...event, lastWord: true as const } : event;
    this.#apply(live, said);
    if (said.type === 'finished' && mayAcknowledge(live.current, said)) live.acknowledge = true;
    // A repeated result whose first report is durable already.
    if (live.acknowledge && isSaved(live)) this.#afterWrite(live);
  }

  /** Sends what may be sent now. */
  pump(): void {
    while (this.#open) {
      const id = this.#queue.next();
      const live = id === undefined ? undefined : this.#live.get(id);
      if (live === undefined || !this.#hasCredit(live.current)) return;
      const nowMs = this.#deps.clock.nowMs();
      if (nowMs >= live.current.dueMs) this.#apply(live, { type: 'overdue', linkAlive: true });
      else if (this.#link.kinds.has(live.current.kind)) this.#apply(live, sentOn(this.#link));
      else this.#apply(live, refusal(live.current.kind));
    }
  }

  #hasCredit(command: Command): boolean {
    if (this.#inFlight < this.#inFlightMax) return true;
    return itemOf(command).overtakes && this.#inFlightMax > 0 && this.#inFlight < this.#inFlightMax + OVERTAKING_MAX;
  }

  /** Looks after what has fallen due: receipts that did not come, retries whose backoff is over, deadlines. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextDueMs || !this.#begun || this.#closed) return;
    this.#nextDueMs = Infinity;
    for (const live of this.#live.values()) {
      if (isWaiting(live.current, nowMs)) this.#queue.setWaiting(live.current.id, true);
      // What is being written has not been said yet: no deadline of the agent's runs, and each thing is decided once.
      if (nowMs >= live.current.dueMs && isSaved(live) && !live.reserved) this.#overdue(live, nowMs);
      this.#noteDue(live.current, nowMs);
    }
    this.pump();
  }

  #overdue(live: LiveCommand, nowMs: number): void {
    if (!mayResend(live.current, nowMs)) this.#apply(live, { type: 'overdue', linkAlive: true });
    // A stream that is being handed over leaves that to the next one.
    else if (this.#open) this.#apply(live, sentOn(this.#link));
  }

  #adopt(command: Command): void {
    const live = newLive(command);
    this.#live.set(command.id, live);
    this.#newest = Math.max(this.#newest, command.sequence);
    this.#queue.add(itemOf(command), isWaiting(command, this.#deps.clock.nowMs()));
    if (inFlight(command)) this.#inFlight += 1;
    this.#noteDue(command, 0);
    this.#disown(live);
  }

  /**
   * A write of an older stream may be committed after this one has begun. What went to another journal stays there: this
   * agent cannot answer for it, and must not get it too.
   */
  #disown(live: LiveCommand): void {
    if (!this.#begun || !inFlight(live.current) || live.current.journalId === this.#link.journalId) return;
    this.#apply(live, { type: 'journal_lost' });
  }

  #apply(live: LiveCommand, event: CommandEvent): void {
    const before = live.current;
    const moved = transition(before, event, this.#deps.clock.nowMs());
    if (moved === null) return tellLateAnswer(this.#deps.logger, before, event);
    live.current = moved.command;
    // An array that is pushed to makes room for seventeen, and these are mostly three. `concat` takes five times as long.
    live.steps = [...live.steps, moved.step];
    live.events = [...live.events, event];
    if (event.type === 'sent') {
      live.deliver = true;
      this.#asked.delete(before.id);
    }
    this.#track(before, moved.command);
    // The agent's word that it is done lets the next one go. An end that we decide has to be stored first.
    if (event.type === 'finished' && isTerminal(moved.command.state)) this.#queue.remove(before.id);
    this.#save(live);
  }

  /** Keeps queue and window in step with a change of state. */
  #track(before: Command, after: Command): void {
    const wasInFlight = inFlight(before);
    const isInFlight = inFlight(after);
    if (wasInFlight !== isInFlight) this.#inFlight += isInFlight ? 1 : -1;
    const waiting = isWaiting(after, this.#deps.clock.nowMs());
    if (this.#queue.has(after.id)) this.#queue.setWaiting(after.id, waiting);
    // It had ended here, and somebody else's change says that it has not.
    else if (!isTerminal(after.state)) this.#queue.add(itemOf(after), waiting);
    this.#noteDue(after, 0);
  }

  #noteDue(command: Command, nowMs: number): void {
    const retryMs = command.retryMs !== null && command.retryMs > nowMs ? command.retryMs : Infinity;
    this.#nextDueMs = Math.min(this.#nextDueMs, command.dueMs, retryMs);
  }

  #save(live: LiveCommand): void {
    if (live.saving) return;
    live.saving = true;
    // What is to be sent is waited for. Receipts are not, and a cancellation has gone out already.
    this.#deps.write(new LiveWrite(live, this.#link.epoch, this.#ends), !live.deliver);
  }

  /**
   * A refused write is repeated later on top of what is stored then: the command keeps its place and its credit meanwhile.
   * What it was to say is given up in the end, so that one bad fact does not hold the command up for ever.
   */
  #writeFailed(live: LiveCommand, thrown: unknown): void {
    live.failures += 1;
    const givenUp = live.failures >= WRITE_TRIES_MAX;
    const commandId = live.durable.id;
    this.#deps.logger.error({ err: thrown, commandId, failures: live.failures, givenUp }, 'command not written');
    live.writing = givenUp ? [] : [...live.writing, ...live.events];
    live.events = [];
    if (givenUp) live.acknowledge = false;
    this.#deps.clock.after(backoffMs(live.failures, WRITE_BACKOFF), () => {
      if (this.#closed) this.#drop(live);
      else this.#repeat(live).catch((again: unknown) => this.#writeFailed(live, again));
    });
  }

  async #repeat(live: LiveCommand): Promise<void> {
    const stored = await this.#stored(live);
    if (stored !== undefined) this.#rebase(live, stored);
  }

  #written(live: LiveCommand, { row: { command }, deliver }: TakenChange): void {
    live.durable = command;
    live.saving = false;
    live.writing = [];
    live.failures = 0;
    if (deliver && command.state === 'SENT' && !this.#closed) this.#deps.output.deliver(command);
    this.#afterWrite(live);
  }

  #afterWrite(live: LiveCommand): void {
    if (live.acknowledge && !live.events.some((event) => event.type === 'finished')) {
      live.acknowledge = false;
      this.#deps.output.acknowledge(live.durable.id);
    }
    if (live.steps.length > 0) this.#save(live);
    else this.#forgetIfDone(live);
    this.pump();
  }

  /** Somebody else wrote first, or our stream is no longer the newest: then nothing is left to be written here. */
  async #overtaken(live: LiveCommand): Promise<void> {
    const stored = await this.#stored(live);
    if (stored?.version === live.durable.version) this.#deps.output.fenced();
    else if (stored !== undefined) this.#rebase(live, stored);
  }

  async #stored(live: LiveCommand): Promise<Command | undefined> {
    const { commands } = await this.#deps.read([live.durable.id]);
    if (commands[0] === undefined) this.#drop(live);
    return commands[0];
  }

  /** Takes the command as it is stored now and does again on top of it what is not stored. */
  #rebase(live: LiveCommand, stored: Command): void {
    const before = live.current;
    const again = replaceByStored(live, stored);
    this.#track(before, stored);
    if (stored.cancelRequestMs !== null && before.cancelRequestMs === null) this.#deps.output.cancel(stored.id);
    this.#disown(live);
    for (const event of again) this.#apply(live, event);
    if (isSaved(live)) this.#afterWrite(live);
  }

  #forgetIfDone(live: LiveCommand): void {
    if (!isTerminal(live.durable.state) || !isSaved(live)) return;
    this.#live.delete(live.durable.id);
    this.#queue.remove(live.durable.id);
  }

  #drop(live: LiveCommand): void {
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
}
