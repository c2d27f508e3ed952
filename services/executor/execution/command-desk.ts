import { toBinary } from '@bufbuild/protobuf';
import {
  type CommandDelivery,
  FinishedSchema,
  type JournalEntry as HelloEntry,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { decideDelivery } from '../domain/repeat.ts';
import type { ClockReading } from '../domain/start-deadline.ts';
import type { DamagedEntry } from '../journal/journal.ts';
import { createAfterCommit, type AfterCommit } from './after-commit.ts';
import { expired, isRetryable, isUnsettled, outcomeAnswer } from './answers.ts';
import { CommandRunner, type CommandRunnerOptions } from './command-runner.ts';
import { adapterCommand, type EncodedAnswer, encoded } from './execution.ts';
import { journalEntry, replaceDamaged, restoreCommand } from './journal-codec.ts';
import {
  afterReceipt,
  afterTransit,
  createLiveCommand,
  deliveryDefect,
  type LiveCommand,
  startWithinMs,
} from './live-command.ts';
import { recoverCommand } from './recovery.ts';
import { journalEntryOf, notFoundEvent, receivedEvent, stateEvent } from './reports.ts';

export type CommandDeskOptions = Omit<CommandRunnerOptions, 'afterCommit' | 'onAnswer' | 'onLateAnswer'>;

/**
 * What the platform says about commands, and what the agent answers. Nothing is told before it is on disk: a receipt, a
 * start and an answer each go through the journal first. Links may come and go without the commands noticing.
 */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  readonly #runner: CommandRunner;
  readonly #afterCommit: AfterCommit;
  /** Everything whose answer the platform has not acknowledged. */
  readonly #live = new Map<string, LiveCommand>();
  readonly #stopped = new AbortController();
  #onFlushed: (() => void) | undefined;

  constructor(options: CommandDeskOptions) {
    this.#options = options;
    this.#afterCommit = createAfterCommit(this.#stopped.signal, options.logger, options.onFatal);
    this.#runner = new CommandRunner({
      ...options,
      afterCommit: this.#afterCommit,
      onAnswer: (command, answer) => this.#record(command, answer),
      onLateAnswer: (command, answer) => this.#settle(command, answer),
    });
  }

  /** Commands that are not acknowledged. */
  get open(): number {
    return this.#live.size;
  }

  /** Takes up what the journal holds. Commands that were running are asked of the adapter meanwhile. */
  restore(): void {
    const now = this.#options.clock.reading();
    const { entries, damaged } = this.#options.journal.load();
    this.refreshStops();
    this.#runner.whole(() => {
      for (const entry of damaged) this.#setAside(entry, now);
      for (const entry of entries) {
        const command = restoreCommand(entry, now);
        if ('defect' in command) this.#setAside(command, now);
        else this.#takeUp(command);
      }
    });
    if (entries.length + damaged.length === 0) return;
    this.#options.logger.info({ open: entries.length, damaged: damaged.length }, 'journal taken up');
  }

  /** Whether to start nothing for now, because another machine acts. */
  standBy(standBy: boolean): void {
    this.#runner.standBy(standBy);
  }

  /** Reads the remembered stops anew; to be called after the journal forgot some. */
  refreshStops(): void {
    this.#runner.rememberStops(this.#options.journal.stops());
  }

  /**
   * Journals new commands, answers known ones, starts what may start. `transitMs` is the longest that they can have been on
   * their way: it comes off the time in which they may start.
   */
  receive(deliveries: readonly CommandDelivery[], transitMs = 0): void {
    // Neither journaled nor acknowledged: the platform sends them again, to whoever comes next.
    if (this.#runner.stopping) return;
    const now = this.#options.clock.reading();
    const accepted = deliveries
      .map((delivery) => this.#judge(afterTransit(delivery, transitMs), now))
      .filter((command) => command !== undefined);
    if (accepted.length === 0) return;
    const receipt = this.#options.journal.receive(accepted.map((command) => journalEntry(command, now)));
    for (const command of accepted) command.receipt = receipt;
    this.#afterCommit(receipt, () => {
      for (const command of accepted) {
        command.durable = true;
        this.#options.outbox.push({ ...receivedEvent(command), atMonotonicMs: now.monotonicMs });
      }
    });
    this.#runner.whole(() => {
      for (const command of accepted) this.#runner.admit(command);
    });
  }

  /** Drops what has not started, asks what runs to stop, repeats the answer of what is finished. */
  cancel(commandIds: readonly string[]): void {
    this.#runner.whole(() => {
      for (const commandId of commandIds) {
        const command = this.#live.get(commandId);
        if (command === undefined) this.#options.logger.debug({ commandId }, 'cancel of a command that is not open');
        else if (command.stage === 'finished') this.#pushState(command);
        else this.#runner.cancel(command);
      }
    });
  }

  /** The platform has made these answers durable. */
  acknowledge(commandIds: readonly string[]): void {
    const done: string[] = [];
    for (const commandId of commandIds) {
      const command = this.#live.get(commandId);
      if (command === undefined || command.stage !== 'finished' || !command.answerDurable) continue;
      if (command.earlierAnswerReported) {
        command.earlierAnswerReported = false;
        this.#pushState(command);
        continue;
      }
      this.#live.delete(commandId);
      done.push(commandId);
    }
    if (done.length === 0) return;
    this.#afterCommit(this.#options.journal.acknowledge(done), () => {
      if (this.#onFlushed !== undefined && this.#isFlushed()) this.#onFlushed();
    });
  }

  /** Says what is known of each; where that is "unknown", the adapter is asked once more. */
  inquire(commandIds: readonly string[]): void {
    const now = this.#options.clock.reading();
    for (const commandId of commandIds) {
      const command = this.#live.get(commandId) ?? this.#recall(commandId, now);
      if (command === undefined) this.#options.outbox.push(notFoundEvent(commandId, now.monotonicMs));
      else if (isUnsettled(command.answer) && !command.executing) this.#askAgain(command).catch(this.#options.onFatal);
      else this.#pushState(command);
    }
  }

  /** Tells a new link everything that is open. */
  resync(): void {
    for (const command of this.#live.values()) {
      command.earlierAnswerReported = false;
      this.#pushState(command);
    }
  }

  /** What the journal holds and the platform has not acknowledged, for Hello. */
  journalEntries(): HelloEntry[] {
    return [...this.#live.values()].map(journalEntryOf).filter((entry) => entry !== undefined);
  }

  /** Ends what is too late to start; to be called now and then, so that waiting behind others does not hide it. */
  sweep(): void {
    this.#runner.endOverdue(this.#live.values());
  }

  /** Starts nothing more and waits for what runs, at most `graceMs`; answers are still told while a link is open. */
  stop(graceMs: number): Promise<void> {
    return this.#runner.stop(graceMs);
  }

  /** Resolves when the platform has made every answer durable, at the latest after `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    if (this.#isFlushed()) return;
    await new Promise<void>((resolve) => {
      this.#onFlushed = resolve;
      this.#options.clock.after(limitMs, resolve);
    });
  }

  /** Nothing is journaled or told any more. */
  close(): void {
    this.#stopped.abort(new Error('the agent has stopped'));
  }

  /** Decides about one delivery; a command that is to be journaled is returned, with its place taken. */
  #judge(delivery: CommandDelivery, now: ClockReading): LiveCommand | undefined {
    const defect = deliveryDefect(delivery);
    if (defect !== undefined) {
      this.#options.logger.error({ commandId: delivery.commandId, defect }, 'delivery cannot be journaled');
      return undefined;
    }
    const known = this.#live.get(delivery.commandId) ?? this.#recall(delivery.commandId, now);
    const decision = decideDelivery(known && standing(known), delivery.attempt);
    if (known !== undefined && decision.action === 'answer') {
      this.#answer(known, decision.adoptAttempt ? delivery.attempt : known.attempt);
      return undefined;
    }
    const command = createLiveCommand(delivery, { remainingMs: startWithinMs(delivery), since: now });
    command.earlierAnswerReported = this.#live.has(command.id);
    this.#live.set(command.id, command);
    return command;
  }

  /** Repeats what is known of a command, under a higher attempt when it was asked for as that. */
  #answer(known: LiveCommand, attempt: number): void {
    if (attempt === known.attempt) {
      this.#pushState(known);
      return;
    }
    known.attempt = attempt;
    this.#afterCommit(this.#options.journal.adoptAttempt(known.id, attempt), () => this.#pushState(known));
  }

  /** A command whose answer was acknowledged and is still remembered. */
  #recall(commandId: string, now: ClockReading): LiveCommand | undefined {
    const entry = this.#options.journal.find(commandId);
    if (entry === undefined) return undefined;
    const command = 'defect' in entry ? entry : restoreCommand(entry, now);
    return 'defect' in command ? this.#setAside(command, now) : command;
  }

  #setAside(damaged: DamagedEntry, now: ClockReading): LiveCommand {
    this.#options.logger.error({ commandId: damaged.commandId, defect: damaged.defect }, 'journal entry set aside');
    const { command, answer } = replaceDamaged(damaged, now);
    this.#live.set(command.id, command);
    this.#afterCommit(this.#options.journal.setAside(damaged, now, toBinary(FinishedSchema, answer)), () => {
      command.answerDurable = true;
      this.#pushState(command);
    });
    return command;
  }

  #takeUp(command: LiveCommand): void {
    this.#live.set(command.id, command);
    if (command.stage === 'received') this.#runner.admit(command);
    else if (command.stage === 'running') this.#runner.takeUpRunning(command);
  }

  /** An answer said "unknown", and the platform asks: perhaps the venue can tell by now. */
  async #askAgain(command: LiveCommand): Promise<void> {
    const { adapter, clock, logger } = this.#options;
    const view = adapterCommand(command);
    if (view === undefined) {
      this.#pushState(command);
      return;
    }
    const answer = await recoverCommand(adapter, view, clock, logger, this.#stopped.signal);
    const found = 'found' in answer ? answer.found : 'unknown';
    if (this.#stopped.signal.aborted || !isUnsettled(command.answer)) return;
    if (found === 'not_executed') {
      this.#settle(command, encoded(expired('the venue has no trace of it: it never took effect')));
    } else if (found === 'unknown' || found.status === 'unknown') this.#pushState(command);
    else this.#settle(command, encoded(outcomeAnswer(found)));
  }

  /** Replaces "unknown" by what really happened. */
  #settle(command: LiveCommand, answer: EncodedAnswer): void {
    // An acknowledgement that is on its way is for the earlier answer.
    command.earlierAnswerReported = command.answerDurable && this.#live.get(command.id) === command;
    this.#live.set(command.id, command);
    this.#record(command, answer);
  }

  /** Puts an answer on disk, then tells the platform. */
  #record(command: LiveCommand, { finished, bytes }: EncodedAnswer): void {
    const now = this.#options.clock.reading();
    command.stageSince = now;
    command.answer = finished;
    command.answerBytes = bytes.length;
    command.answerDurable = false;
    this.#afterCommit(afterReceipt(command, this.#options.journal.finish(command.id, now, bytes)), () => {
      if (command.answer !== finished) return;
      command.answerDurable = true;
      if (this.#live.get(command.id) === command) this.#pushState(command);
    });
  }

  #isFlushed(): boolean {
    return ![...this.#live.values()].some((command) => command.stage === 'finished');
  }

  #pushState(command: LiveCommand): void {
    const event = stateEvent(command);
    if (event !== undefined) this.#options.outbox.push(event);
  }
}

function standing(command: LiveCommand) {
  const stage = command.stage === 'starting' ? 'received' : command.stage;
  return { attempt: command.attempt, stage, failedRetryable: isRetryable(command.answer) } as const;
}
