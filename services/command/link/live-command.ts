import type { Logger } from '../../platform/logger.ts';
import { type Command, isTerminal, type Step } from '../domain/command.ts';
import type { QueueItem } from '../domain/dispatch-queue.ts';
import { isKind, policyOf } from '../domain/kind.ts';
import { type CommandEvent, mayBeFollowed } from '../domain/transition.ts';

/** One command that the agent's journal holds, from its Hello. */
export interface JournaledCommand {
  readonly commandId: string;
  readonly stage: 'received' | 'running' | 'finished';
}

/** An open command of a connected executor, as stored and as it is by now. */
export interface LiveCommand {
  /** As stored. */
  durable: Command;
  /** With everything that happened since. */
  current: Command;
  /** What happened since, for the history and to do again on top of somebody else's change. */
  steps: readonly Step[];
  events: readonly CommandEvent[];
  /** What is being written right now, to do again when the write fails. */
  writing: readonly CommandEvent[];
  saving: boolean;
  /** Writes that failed, one after the other. */
  failures: number;
  /** Not stored yet: its place is only reserved. */
  reserved: boolean;
  /** To be said when what happened is durable. */
  deliver: boolean;
  acknowledge: boolean;
}

export function newLive(command: Command, reserved = false): LiveCommand {
  return {
    durable: command,
    current: command,
    steps: [],
    events: [],
    writing: [],
    saving: false,
    failures: 0,
    reserved,
    deliver: false,
    acknowledge: false,
  };
}

/** Nothing waits to be written or is being written. */
export function isSaved(live: LiveCommand): boolean {
  return !live.saving && live.steps.length === 0;
}

/** Takes the command as it is stored now; gives what happened and is not in it. */
export function replaceByStored(live: LiveCommand, stored: Command): CommandEvent[] {
  const again = [...live.writing, ...live.events];
  live.durable = stored;
  live.current = stored;
  live.steps = [];
  live.events = [];
  live.writing = [];
  live.saving = false;
  live.deliver = false;
  return again;
}

/** With the agent: it takes up one of the agent's credits. */
export function inFlight(command: Command): boolean {
  return command.state === 'SENT' || command.state === 'RECEIVED' || command.state === 'RUNNING';
}

/** What the dispatch queue has to know of a command. */
export function itemOf(command: Command): QueueItem {
  const overtakes = isKind(command.kind) && policyOf(command.kind).overtakes;
  return {
    id: command.id,
    sequence: command.sequence,
    orderingKey: command.orderingKey,
    lane: command.lane,
    overtakes,
  };
}

/** PENDING, and the backoff of a retry is over. */
export function isWaiting(command: Command, nowMs: number): boolean {
  return command.state === 'PENDING' && (command.retryMs ?? 0) <= nowMs;
}

/** Whether a write without a receipt may be repeated: bounded by the attempts and by every deadline for the delivery. */
export function mayResend(command: Command, nowMs: number): boolean {
  const { deliverByMs, notAfterMs } = command.deadlines;
  return (
    command.state === 'SENT' &&
    command.resends + 1 < command.attemptsMax &&
    nowMs < deliverByMs &&
    nowMs < (notAfterMs ?? Infinity)
  );
}

/** The connected agent cannot take a command of this kind. */
export function refusal(kind: string): CommandEvent {
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

/** What the agent's journal says of a command that had been sent; nothing when that was another journal. */
export function reconciling(entry: JournaledCommand | undefined, nowMs: number): CommandEvent {
  if (entry === undefined) return { type: 'journal_lost' };
  return { type: entry.stage === 'running' ? 'started' : 'received', atMs: nowMs };
}

/**
 * Whether a result, after it was applied, may be acknowledged once it is durable. An acknowledgement names no attempt: that of
 * a failure which was followed by a further write would be taken for one of the later answer.
 */
export function mayAcknowledge(command: Command, event: Extract<CommandEvent, { type: 'finished' }>): boolean {
  if ((command.unsettled || command.settledBy !== null) && mayBeFollowed(command, event)) return false;
  return isTerminal(command.state) || event.attempt >= command.attempt;
}

/** An answer that came after an operator had settled the command changes nothing, and must not be lost: both words are told. */
export function tellLateAnswer(logger: Pick<Logger, 'warn'>, command: Command, event: CommandEvent): void {
  if (command.settledBy === null || (event.type !== 'finished' && event.type !== 'not_found')) return;
  const { id: commandId, state, settledBy } = command;
  const answer =
    event.type === 'finished' ? { state: event.state, error: event.error?.message } : { state: 'never received' };
  // That it does not know either is no answer.
  if (answer.state === 'OUTCOME_UNKNOWN') return;
  logger.warn({ commandId, state, settledBy, answer }, 'agent answers what an operator has settled');
}

/** A write to the agent's stream. */
export function sentOn(link: { readonly epoch: number; readonly journalId: string }): CommandEvent {
  return { type: 'sent', epoch: link.epoch, journalId: link.journalId };
}
