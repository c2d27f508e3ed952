import type { Logger } from '../../platform/logger.ts';
import type { Adapter } from '../adapters/adapter.ts';
import { kindName } from '../adapters/command-kinds.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { CommandFacts } from '../domain/command-facts.ts';
import { isStopKind } from '../domain/kinds.ts';
import { checkKind, type LocalLimits } from '../domain/local-limits.ts';
import { parseOrderingKey } from '../domain/ordering-key.ts';
import type { Refusal } from '../domain/refusal.ts';
import { Schedule } from '../domain/schedule.ts';
import { isOverdue } from '../domain/start-deadline.ts';
import { type IssuedStop, isSupersededBy, StopFence } from '../domain/stop-fence.ts';
import type { Journal } from '../journal/journal.ts';
import type { AfterCommit } from './after-commit.ts';
import { cancelled, notChecked, outcomeUnknown, refused, tooLate } from './answers.ts';
import { adapterCommand, type EncodedAnswer, encoded, startExecution } from './execution.ts';
import { afterReceipt, type LiveCommand } from './live-command.ts';
import type { Outbox } from './outbox.ts';
import { recoveredAnswer, recoverCommand } from './recovery.ts';
import { progressEvent, startedEvent } from './reports.ts';
import { commandFacts, StartChecks } from './start-checks.ts';

export interface CommandRunnerOptions {
  readonly adapter: Adapter;
  readonly journal: Journal;
  readonly limits: LocalLimits;
  /** Commands that the adapter executes at the same time. */
  readonly concurrencyMax: number;
  readonly clock: AgentClock;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly afterCommit: AfterCommit;
  /** What stands against a start besides limits and preconditions, such as the loss of the platform. */
  readonly refusalOf?: (command: CommandFacts) => Refusal | undefined;
  readonly onFatal: (thrown: unknown) => void;
  /** A command has ended; its answer is to be journaled and then told. */
  readonly onAnswer: (command: LiveCommand, answer: EncodedAnswer) => void;
  /** What really happened to a command whose outcome had been called unknown. */
  readonly onLateAnswer: (command: LiveCommand, answer: EncodedAnswer) => void;
}

/**
 * Takes commands from their receipt to their end: order, limits, start, execution, stop. A start is on disk before the
 * adapter hears of it.
 */
export class CommandRunner {
  readonly #options: CommandRunnerOptions;
  readonly #schedule: Schedule<LiveCommand>;
  readonly #checks: StartChecks;
  readonly #fence = new StopFence();
  readonly #kinds: ReadonlySet<string>;
  /** Commands that are starting or running. */
  readonly #active = new Set<LiveCommand>();
  readonly #stopped = new AbortController();
  /** Above zero while a change is being made that has to be whole before anything starts. */
  #holds = 0;
  #stopping = false;
  #standingBy = false;
  #onIdle: (() => void) | undefined;

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
    this.#schedule = new Schedule(options.concurrencyMax);
    this.#checks = new StartChecks(options.adapter, options.limits, options.clock);
    this.#kinds = new Set(options.adapter.kinds.map(kindName));
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Replaces the stops that are remembered, after a start or when the journal forgot some. */
  rememberStops(stops: readonly IssuedStop[]): void {
    this.#fence.replaceAll(stops);
  }

  /** Runs `change` with nothing starting before it is whole, then starts what may start. */
  whole(change: () => void): void {
    this.#holds += 1;
    try {
      change();
    } finally {
      this.#holds -= 1;
    }
    this.#pump();
  }

  /** Refuses a received command, finds it superseded, or lets it wait for its turn. */
  admit(command: LiveCommand): void {
    const refusal = this.#kindRefusal(command);
    if (refusal !== undefined) {
      this.#finish(command, encoded(refused(refusal)));
      return;
    }
    const stop = this.#fence.supersederOf(command);
    if (stop !== undefined) {
      this.#finish(command, encoded(cancelled(stop.commandId)));
      return;
    }
    this.#schedule.add(command);
    if (isStopKind(command.kind)) this.#supersede(command);
    this.#pump();
  }

  /** Takes up a command that was running when the agent ended: it holds its key while the adapter is asked about it. */
  takeUpRunning(command: LiveCommand): void {
    this.#schedule.addRunning(command);
    this.#active.add(command);
    this.#recover(command).catch(this.#options.onFatal);
  }

  /** Drops a command that has not started, asks one that runs to stop. */
  cancel(command: LiveCommand): void {
    if (command.stage === 'running') command.abort?.('cancelled');
    else this.#finish(command, encoded(cancelled(undefined)));
  }

  /** Ends those that are too late to start. */
  endOverdue(commands: Iterable<LiveCommand>): void {
    const now = this.#options.clock.reading();
    this.whole(() => {
      for (const command of commands) {
        const waits = command.stage === 'received' || command.stage === 'starting';
        if (waits && isOverdue(command.startBudget, now)) this.#finish(command, encoded(tooLate(command)));
      }
    });
  }

  /**
   * Starts nothing while `standBy`: another machine acts for this executor, and what waits here would be done beside it.
   * What runs goes on; what becomes too late to start meanwhile ends.
   */
  standBy(standBy: boolean): void {
    this.#standingBy = standBy;
    this.#pump();
  }

  /** Starts nothing more and waits for what runs, at most `graceMs`. What is left stays journaled as running. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#isRunning()) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        this.#options.clock.after(graceMs, resolve);
      });
    }
    this.#stopped.abort(new Error('the agent is stopping'));
  }

  #kindRefusal(command: LiveCommand): Refusal | undefined {
    if (this.#kinds.has(command.kind)) return checkKind(this.#options.limits, command.kind);
    const named = command.kind === '' ? 'a kind that it does not know' : command.kind;
    const { name } = this.#options.adapter;
    const message = `this agent does not execute ${named}; its adapter ${name} takes ${[...this.#kinds].join(', ')}`;
    return { reason: 'KIND_UNSUPPORTED', message, metadata: { kind: command.kind } };
  }

  /** Ends the earlier starts that a stop makes pointless, as far as they have not reached the adapter. */
  #supersede(stop: LiveCommand): void {
    const { id: commandId, kind, orderingKey, sequence } = stop;
    const issued = { commandId, kind, orderingKey, sequence };
    this.#fence.remember(issued);
    const waiting = this.#schedule.waitingWithin(parseOrderingKey(orderingKey) ?? []);
    for (const command of [...waiting, ...this.#active]) {
      if (!isSupersededBy(command, issued)) continue;
      command.supersededBy = commandId;
      if (command.stage !== 'running') this.#finish(command, encoded(cancelled(commandId)));
      // A stop that waits its turn finds the start done; one that overtakes must not be undone by it.
      else if (stop.overtakes) command.abort?.('superseded');
    }
  }

  #pump(): void {
    if (this.#holds > 0 || this.#stopping || this.#standingBy) return;
    this.#holds += 1;
    for (let next = this.#schedule.take(); next !== undefined; next = this.#schedule.take()) {
      this.#active.add(next);
      this.#begin(next);
    }
    this.#holds -= 1;
  }

  /** The command's turn has come. */
  #begin(command: LiveCommand): void {
    if (isOverdue(command.startBudget, this.#options.clock.reading())) {
      this.#finish(command, encoded(tooLate(command)));
      return;
    }
    command.stage = 'starting';
    const checked = this.#checks.check(command);
    if (checked instanceof Promise) this.#startWhenChecked(command, checked).catch(this.#options.onFatal);
    else this.#start(command, checked);
  }

  async #startWhenChecked(command: LiveCommand, checked: Promise<Refusal | undefined>): Promise<void> {
    let refusal: Refusal | undefined;
    try {
      refusal = await checked;
    } catch (thrown) {
      this.#finish(command, encoded(notChecked(thrown)));
      return;
    }
    this.#start(command, refusal);
  }

  #start(command: LiveCommand, refusal: Refusal | undefined): void {
    // Cancelled meanwhile, or the agent stops: then it stays in the journal as received.
    if (command.stage !== 'starting' || this.#stopping) return;
    const against = refusal ?? this.#options.refusalOf?.(commandFacts(command));
    if (against !== undefined) {
      this.#finish(command, encoded(refused(against)));
      return;
    }
    if (this.#standingBy) {
      this.#checks.forget(command.id);
      this.#waitAgain(command);
      return;
    }
    const { journal, clock, afterCommit } = this.#options;
    afterCommit(afterReceipt(command, journal.start(command.id, clock.reading())), () => this.#execute(command));
  }

  #execute(command: LiveCommand): void {
    if (command.stage !== 'starting') return;
    const { adapter, clock, outbox, onLateAnswer } = this.#options;
    const now = clock.reading();
    const view = adapterCommand(command);
    // The disk may have taken its time.
    if (isOverdue(command.startBudget, now) || view === undefined) {
      this.#finish(command, encoded(tooLate(command)));
      return;
    }
    command.stage = 'running';
    command.stageSince = now;
    outbox.push(startedEvent(command));
    command.abort = startExecution(adapter, command, view, clock, {
      onAnswer: (answer) => this.#finish(command, answer),
      onLateAnswer: (answer) => onLateAnswer(command, answer),
      onProgress: (message, percent) =>
        outbox.push(progressEvent(command, message, percent, clock.reading().monotonicMs)),
    });
  }

  async #recover(command: LiveCommand): Promise<void> {
    const { adapter, clock, logger } = this.#options;
    const view = adapterCommand(command);
    let stopWanted = false;
    const noteStop = (): void => {
      stopWanted = true;
    };
    command.abort = noteStop;
    if (view === undefined) {
      const message = 'started by an agent that knew this kind, and this one does not';
      this.#finish(command, encoded(outcomeUnknown('EFFECT_UNCERTAIN', message)));
      return;
    }
    const found = await recoverCommand(adapter, view, clock, logger, this.#stopped.signal);
    if (this.#stopped.signal.aborted || command.stage !== 'running') return;
    // A stop that was received meanwhile, or that had overtaken it, must not be undone by trying again.
    command.supersededBy ??= this.#fence.supersederOf(command)?.commandId;
    const answer = recoveredAnswer(command, found, stopWanted, clock.reading());
    if (answer !== 'execute') this.#finish(command, encoded(answer));
    else this.#waitAgain(command);
  }

  /** Gives a command that was started in vain its place in the order back: what overtook it goes first this time. */
  #waitAgain(command: LiveCommand): void {
    this.whole(() => {
      this.#schedule.remove(command);
      this.#active.delete(command);
      command.stage = 'received';
      command.abort = undefined;
      this.#schedule.add(command);
    });
  }

  #finish(command: LiveCommand, answer: EncodedAnswer): void {
    if (command.stage === 'finished') return;
    command.stage = 'finished';
    command.abort = undefined;
    this.#schedule.remove(command);
    this.#active.delete(command);
    this.#checks.forget(command.id);
    this.#options.onAnswer(command, answer);
    this.#pump();
    if (this.#onIdle !== undefined && !this.#isRunning()) this.#onIdle();
  }

  #isRunning(): boolean {
    return [...this.#active].some((command) => command.stage === 'running');
  }
}
