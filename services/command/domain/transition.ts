import { backoffMs } from '../../platform/backoff.ts';
import {
  type Command,
  type CommandError,
  type CommandState,
  isTerminal,
  type Step,
  type TerminalState,
} from './command.ts';
import { type OperatorWord, settlementOf } from './settlement.ts';

/** What can happen to a command. The agent's facts carry the moment at which they happened. */
export type CommandEvent =
  | { readonly type: 'sent'; readonly epoch: number; readonly journalId: string }
  | { readonly type: 'received'; readonly atMs: number }
  | { readonly type: 'started'; readonly atMs: number }
  | { readonly type: 'progressed'; readonly atMs: number; readonly progress: Uint8Array }
  | {
      readonly type: 'finished';
      readonly atMs: number;
      readonly attempt: number;
      readonly state: TerminalState;
      readonly result: Uint8Array | null;
      readonly error: CommandError | null;
      /** Said on a newer link than any that the command was written to: no further attempt can still reach the agent. */
      readonly lastWord?: true;
    }
  /** The agent, asked, has never seen it. */
  | { readonly type: 'not_found' }
  /** The agent came back with a journal that cannot answer for the command. */
  | { readonly type: 'journal_lost' }
  /** The due time has passed. */
  | { readonly type: 'overdue'; readonly linkAlive: boolean }
  | { readonly type: 'cancel_requested' }
  | { readonly type: 'superseded'; readonly by: string }
  /** The connected agent cannot take it. */
  | { readonly type: 'refused'; readonly error: CommandError }
  | { readonly type: 'quarantined'; readonly defect: string }
  /** An operator has looked at the venue. */
  | ({ readonly type: 'operator_settled' } & OperatorWord);

export interface Transitioned {
  readonly command: Command;
  readonly step: Step;
}

/** Time that the agent has to speak for itself before the platform calls a deadline on its behalf. */
export const AGENT_GRACE_MS = 2_000;
const REPEAT_CAUSE = 'failed, to be repeated';
const RETRY_BACKOFF = { firstMs: 500, maxMs: 30_000 } as const;

/**
 * The state machine: the command after `event`, with the step for its history; null when the event changes nothing
 * (a repeat, or something that a terminal state outlives). Pure: `nowMs` and `random` come from outside.
 */
export function transition(
  command: Command,
  event: CommandEvent,
  nowMs: number,
  random: () => number = Math.random,
): Transitioned | null {
  if (isTerminal(command.state)) return settle(command, event, nowMs);
  switch (event.type) {
    case 'sent':
      return sent(command, event, nowMs);
    case 'received':
      return received(command, momentOf(command, event.atMs, nowMs), nowMs);
    case 'started':
      return started(command, momentOf(command, event.atMs, nowMs), nowMs);
    case 'progressed': {
      if (command.state !== 'RUNNING') return null;
      const progressMs = Math.max(momentOf(command, event.atMs, nowMs), command.progressMs ?? 0);
      return move(command, 'RUNNING', 'progressed', nowMs, { progressMs, progress: event.progress });
    }
    case 'finished':
      return finished(command, event, nowMs, random);
    case 'not_found':
      return notReceived(command, nowMs);
    case 'journal_lost':
      if (command.state === 'PENDING') return null;
      return end(command, 'OUTCOME_UNKNOWN', 'journal lost', nowMs, {
        reason: 'JOURNAL_LOST',
        message: 'the agent that took the command came back with another journal, which cannot say what became of it',
        hop: 'agent',
      });
    case 'overdue':
      return overdue(command, event.linkAlive, nowMs);
    case 'cancel_requested':
      return cancelRequested(command, nowMs);
    case 'superseded':
      if (command.state !== 'PENDING') return cancelRequested(command, nowMs);
      return end(command, 'CANCELLED', 'superseded', nowMs, {
        reason: 'SUPERSEDED',
        message: `made pointless by the later stop ${event.by} before it was delivered`,
        hop: 'platform',
        metadata: { superseded_by: event.by },
      });
    case 'refused':
      if (command.state !== 'PENDING') return null;
      return end(command, 'REJECTED', 'refused', nowMs, event.error);
    case 'quarantined':
      return end(command, 'FAILED', 'quarantined', nowMs, {
        reason: 'QUARANTINED',
        message: `the stored command cannot be read: ${event.defect}`,
        hop: 'platform',
        metadata: { defect: event.defect },
      });
    case 'operator_settled':
      return null;
  }
}

/** An agent's word for when something happened, within what is possible: a wrong clock must not break deadlines or rows. */
function momentOf(command: Command, atMs: number, nowMs: number): number {
  return Math.min(Math.max(atMs, command.createMs), nowMs);
}

function sent(command: Command, event: { epoch: number; journalId: string }, nowMs: number): Transitioned | null {
  if (command.state !== 'PENDING' && command.state !== 'SENT') return null;
  const resends = command.state === 'SENT' ? command.resends + 1 : command.resends;
  return move(command, 'SENT', command.state === 'SENT' ? 'sent again' : 'sent', nowMs, {
    attempt: command.attempt + 1,
    resends,
    streamEpoch: event.epoch,
    journalId: event.journalId,
    sentMs: nowMs,
    retryMs: null,
    note: null,
  });
}

function received(command: Command, atMs: number, nowMs: number): Transitioned | null {
  if (command.state !== 'SENT') return null;
  return move(command, 'RECEIVED', 'received', nowMs, { receivedMs: atMs, resends: 0 });
}

function started(command: Command, atMs: number, nowMs: number): Transitioned | null {
  if (command.state !== 'SENT' && command.state !== 'RECEIVED') return null;
  return move(command, 'RUNNING', 'started', nowMs, {
    receivedMs: command.receivedMs ?? atMs,
    startMs: atMs,
    progressMs: null,
    resends: 0,
  });
}

function finished(
  command: Command,
  event: Extract<CommandEvent, { type: 'finished' }>,
  nowMs: number,
  random: () => number,
): Transitioned | null {
  const passing = event.state === 'FAILED' && event.error?.retryable === true;
  // The agent may have taken an attempt that was given back or repeats: its end counts, or an acknowledged answer would be
  // lost. A failure that may pass says nothing new about a command that is to be sent again anyway.
  if (command.state === 'PENDING' && (command.attempt === 0 || passing)) return null;
  const finishMs = momentOf(command, event.atMs, nowMs);
  if (passing && event.attempt < command.attempt) return failedBefore(command, event.error, nowMs);
  const failures = command.failures + 1;
  if (passing && failures < command.attemptsMax) {
    const retryMs = nowMs + backoffMs(failures, RETRY_BACKOFF, random);
    const mayStartAgain =
      retryMs < command.deadlines.deliverByMs && retryMs < (command.deadlines.notAfterMs ?? Infinity);
    if (mayStartAgain && command.cancelRequestMs === null) {
      return move(command, 'PENDING', REPEAT_CAUSE, nowMs, { ...afresh(command, event.error), failures, retryMs });
    }
  }
  return move(command, event.state, 'finished', nowMs, {
    failures: event.state === 'FAILED' ? failures : command.failures,
    receivedMs: command.receivedMs ?? finishMs,
    finishMs,
    result: event.result,
    error: event.error ?? (event.state === 'SUCCEEDED' ? null : command.error),
    unsettled: event.state === 'OUTCOME_UNKNOWN',
    note: null,
  });
}

/**
 * A failure that may pass, of an attempt that was followed by another write: that write asks the agent for another try by
 * itself, so this is no end, and there is nothing to send. An agent repeats a result until it is acknowledged, so only the
 * first one counts.
 */
function failedBefore(command: Command, error: CommandError | null, nowMs: number): Transitioned | null {
  if (command.failures > 0) return null;
  return move(command, 'SENT', REPEAT_CAUSE, nowMs, { ...afresh(command, error), failures: 1 });
}

/** What a command forgets of a failed attempt, and what it keeps. */
function afresh(command: Command, error: CommandError | null): Partial<Command> {
  const note = `attempt ${command.attempt} failed: ${error?.message ?? 'no reason given'}`;
  return { error, receivedMs: null, startMs: null, progressMs: null, progress: null, note };
}

function notReceived(command: Command, nowMs: number): Transitioned | null {
  switch (command.state) {
    case 'SENT':
      if (command.cancelRequestMs !== null) return cancelled(command, nowMs);
      return move(command, 'PENDING', 'not received', nowMs, { streamEpoch: null, journalId: null, resends: 0 });
    case 'RECEIVED':
    case 'RUNNING':
      return end(command, 'OUTCOME_UNKNOWN', 'journal lost', nowMs, {
        reason: 'JOURNAL_LOST',
        message: 'the agent had acknowledged the command and no longer finds it in its journal',
        hop: 'agent',
      });
    default:
      return null;
  }
}

function overdue(command: Command, linkAlive: boolean, nowMs: number): Transitioned | null {
  if (nowMs < command.dueMs) return null;
  const { deliverByMs, notAfterMs, finishByMs } = command.deadlines;
  switch (command.state) {
    case 'PENDING': {
      if (command.error !== null) return end(command, 'FAILED', 'deadline', nowMs, command.error);
      const tooLate = notAfterMs !== null && nowMs >= notAfterMs;
      return end(command, 'EXPIRED', 'deadline', nowMs, {
        reason: tooLate ? 'NOT_AFTER' : 'DELIVER_DEADLINE',
        message: tooLate
          ? 'its not_after passed before an agent took it'
          : 'no agent of the executor took it by its delivery deadline',
        hop: 'stream',
      });
    }
    case 'SENT': {
      const mayResend = nowMs < deliverByMs && nowMs < finishByMs && nowMs < (notAfterMs ?? Infinity);
      if (mayResend && (!linkAlive || command.resends + 1 < command.attemptsMax)) {
        // Who holds the link ought to have written again: a look that finds it has not counts as a resend, so that looks are
        // bounded too. Without a link there is nobody to write to, and the agent may come back until the delivery deadline.
        const resends = command.resends + 1;
        const lookMs = nowMs + receiveSpanMs({ ...command, resends });
        return linkAlive
          ? move(command, 'SENT', 'receipt overdue', nowMs, { resends, dueMs: Math.min(lookMs, finishByMs) })
          : move(command, 'SENT', 'stream lost', nowMs, {
              dueMs: Math.min(deliverByMs, notAfterMs ?? Infinity, finishByMs),
            });
      }
      return end(command, 'OUTCOME_UNKNOWN', 'deadline', nowMs, {
        reason: 'RECEIVE_DEADLINE',
        message: `written ${command.attempt} time(s) and never acknowledged: the agent may have it`,
        hop: 'stream',
      });
    }
    case 'RECEIVED':
      return end(command, 'OUTCOME_UNKNOWN', 'deadline', nowMs, {
        reason: 'START_DEADLINE',
        message: 'the agent acknowledged it and neither started it nor gave it up in time',
        hop: 'agent',
      });
    case 'RUNNING': {
      const overran = nowMs >= finishLimitMs(command);
      return end(command, 'OUTCOME_UNKNOWN', 'deadline', nowMs, {
        reason: overran ? 'FINISH_DEADLINE' : 'PROGRESS_DEADLINE',
        message: overran ? 'it was started and did not finish in time' : 'it was started and went silent',
        hop: 'agent',
      });
    }
    default:
      return null;
  }
}

function cancelRequested(command: Command, nowMs: number): Transitioned | null {
  if (command.state === 'PENDING') return cancelled(command, nowMs);
  if (command.cancelRequestMs !== null) return null;
  return move(command, command.state, 'cancel requested', nowMs, {
    cancelRequestMs: nowMs,
    note: 'cancellation has been asked of the agent; its answer decides',
  });
}

function cancelled(command: Command, nowMs: number): Transitioned {
  return end(command, 'CANCELLED', 'cancelled', nowMs, {
    reason: 'CANCELLED',
    message: 'cancelled before it was delivered',
    hop: 'platform',
  });
}

/** Terminal is final, but an unknown outcome may still become known. */
function settle(command: Command, event: CommandEvent, nowMs: number): Transitioned | null {
  if (command.state !== 'OUTCOME_UNKNOWN' || !command.unsettled) return null;
  if (event.type === 'operator_settled') {
    const { state, message, changes } = settlementOf(event, nowMs);
    const { command: settled, step } = move(command, state, 'settled by an operator', nowMs, changes);
    // It came by no stream.
    const { epoch: _, ...told } = step;
    return { command: settled, step: { ...told, message } };
  }
  if (event.type === 'finished' && event.state !== 'OUTCOME_UNKNOWN') {
    if (mayBeFollowed(command, event)) return null;
    return move(command, event.state, 'settled', nowMs, {
      settleMs: nowMs,
      unsettled: false,
      result: event.result,
      error: event.error,
    });
  }
  // "Unknown" from the agent itself settles nothing, and it may repeat that: the venue may still tell it, and it us.
  // What was received once cannot become "never received".
  if (event.type === 'not_found' && command.receivedMs === null) {
    return move(command, 'EXPIRED', 'settled', nowMs, {
      settleMs: nowMs,
      unsettled: false,
      error: {
        reason: 'NEVER_RECEIVED',
        message: 'the agent came back and had never received it',
        hop: 'stream',
        retryable: false,
        metadata: {},
      },
    });
  }
  return null;
}

/**
 * Whether a failure that may pass can still be followed by the answer of a later attempt: that attempt was written, asks the
 * agent for another try, and may yet take effect.
 */
export function mayBeFollowed(command: Command, event: Extract<CommandEvent, { type: 'finished' }>): boolean {
  const passing = event.state === 'FAILED' && event.error?.retryable === true;
  return passing && event.attempt < command.attempt && event.lastWord !== true;
}

type ErrorFacts = Pick<CommandError, 'reason' | 'message' | 'hop'> & Partial<CommandError>;

function end(command: Command, state: TerminalState, cause: string, nowMs: number, facts: ErrorFacts): Transitioned {
  return move(command, state, cause, nowMs, {
    finishMs: nowMs,
    unsettled: state === 'OUTCOME_UNKNOWN',
    error: { retryable: false, metadata: {}, ...facts },
    note: null,
  });
}

function move(
  command: Command,
  to: CommandState,
  cause: string,
  atMs: number,
  changes: Partial<Command> = {},
): Transitioned {
  const changed = { ...command, ...changes, state: to, version: command.version + 1 };
  changed.dueMs = changes.dueMs ?? dueMs(changed, atMs);
  const failure = isTerminal(to) || cause === REPEAT_CAUSE ? changed.error : null;
  const explained = failure === null ? {} : { reason: failure.reason, message: failure.message };
  const epoch = changed.streamEpoch === null ? {} : { epoch: changed.streamEpoch };
  return {
    command: changed,
    step: { from: command.state, to, atMs, cause, attempt: changed.attempt, ...explained, ...epoch },
  };
}

/**
 * When somebody must look at the command again: finite in every state that is not terminal, and never later than
 * `finishBy`, so that every command ends.
 */
export function dueMs(command: Command, nowMs: number): number {
  const { deliverByMs, startWithinMs, progressWithinMs, finishByMs, notAfterMs } = command.deadlines;
  switch (command.state) {
    case 'PENDING':
      return Math.min(deliverByMs, notAfterMs ?? Infinity, finishByMs);
    case 'SENT':
      return Math.min((command.sentMs ?? nowMs) + receiveSpanMs(command), finishByMs);
    case 'RECEIVED':
      return Math.min((command.receivedMs ?? nowMs) + startWithinMs + AGENT_GRACE_MS, finishByMs);
    case 'RUNNING': {
      const silenceMs =
        progressWithinMs === null
          ? Infinity
          : (command.progressMs ?? command.startMs ?? nowMs) + progressWithinMs + AGENT_GRACE_MS;
      return Math.min(finishLimitMs(command), silenceMs, finishByMs);
    }
    default:
      return Infinity;
  }
}

function finishLimitMs(command: Command): number {
  const startMs = command.startMs ?? command.createMs;
  return Math.min(startMs + command.deadlines.finishWithinMs + AGENT_GRACE_MS, command.deadlines.finishByMs);
}

/** Doubles with each write that brought no receipt. */
function receiveSpanMs(command: Command): number {
  return command.deadlines.receiveWithinMs * 2 ** Math.min(command.resends, 6);
}
