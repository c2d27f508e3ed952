import { type Command, isTerminal } from './command.ts';
import type { BlockingCommand } from './command-reader.ts';
import { errorText } from './error-text.ts';
import { type Executor, executorState, lastSeenMs, offlineSinceMs } from './executor.ts';
import { explainEnd } from './explain-end.ts';
import type { Explanation, HopName } from './explanation.ts';
import { isCalling, isCurrent, type Refusal, remedyOf } from './refusal.ts';
import { clockTime, spanText } from './span-text.ts';

export interface Situation {
  readonly command: Command;
  readonly executor: Executor;
  /** The latest of its agent; null for none. */
  readonly refusal: Refusal | null;
  /** Commands that are with the agent now. */
  readonly inFlight: number;
  /** Earlier open commands with a related key, oldest first; only those of a PENDING command are looked at. */
  readonly blocking: readonly BlockingCommand[];
  /** The agent's latest words about a running command; empty for none. */
  readonly progress: string;
  readonly nowMs: number;
}

/** Says where a command is held up and for how long that can go on, or how it ended and why. */
export function explain(situation: Situation): Explanation {
  const { command, executor, nowMs } = situation;
  if (isTerminal(command.state)) return explainEnd(command, command.state, executor.name, nowMs);
  const { hop, sentence } = explainOpen(situation, command.state);
  return { hop, sentence: `${sentence}${cancellationText(command, nowMs)}` };
}

function explainOpen(situation: Situation, state: 'PENDING' | 'SENT' | 'RECEIVED' | 'RUNNING'): Explanation {
  const away = absenceOf(situation);
  switch (state) {
    case 'PENDING':
      return explainPending(situation, away);
    case 'SENT':
      return explainSent(situation, away);
    case 'RECEIVED':
      return explainReceived(situation, away);
    case 'RUNNING':
      return explainRunning(situation, away);
    default:
      return state satisfies never;
  }
}

interface Absence {
  readonly hop: HopName;
  /** Follows the executor's name and a comma. */
  readonly text: string;
}

/** Why the executor cannot be reached; undefined while it is online. */
function absenceOf({ executor, refusal, nowMs }: Situation): Absence | undefined {
  const state = executorState(executor);
  if ((state === 'OFFLINE' || state === 'NEVER_CONNECTED') && refusal !== null && isCurrent(refusal, executor)) {
    return { hop: 'AGENT_REFUSED', text: refusedText(refusal, executor, nowMs) };
  }
  switch (state) {
    case 'ONLINE':
      return undefined;
    case 'DISABLED':
      return { hop: 'EXECUTOR_DISABLED', text: `disabled since ${clockTime(executor.disableMs ?? nowMs, nowMs)}` };
    case 'NEVER_CONNECTED':
      return { hop: 'EXECUTOR_NEVER_CONNECTED', text: 'which has never connected' };
    case 'OFFLINE': {
      const sinceMs = offlineSinceMs(executor) ?? nowMs;
      return { hop: 'EXECUTOR_OFFLINE', text: `offline since ${clockTime(sinceMs, nowMs)}` };
    }
    default:
      return state satisfies never;
  }
}

/** Who calls, since when, why that is refused, and what to do. */
function refusedText(refusal: Refusal, executor: Executor, nowMs: number): string {
  const { isProven, sinceMs, atMs, message, reason } = refusal;
  // While the executor was connected, whoever was refused was not its agent.
  const since = `since ${clockTime(Math.max(sinceMs, lastSeenMs(executor) ?? 0), nowMs)}`;
  const when = isCalling(refusal, nowMs)
    ? `${isProven ? 'whose agent calls' : 'for which somebody calls'} and is refused ${since}`
    : `${isProven ? 'whose agent' : 'for which somebody'} was refused ${since} and last called at ${clockTime(atMs, nowMs)}`;
  return `${when}: ${message} (${reason}); ${remedyOf(refusal, executor.name)}`;
}

function explainPending(situation: Situation, away: Absence | undefined): Explanation {
  const { command, executor, blocking, inFlight, nowMs } = situation;
  const end = `; ${command.error === null ? 'expires' : 'fails for good'} ${inText(command.dueMs - nowMs)}`;
  if (away !== undefined)
    return { hop: away.hop, sentence: `waiting for executor ${executor.name}, ${away.text}${end}` };
  if (command.retryMs !== null && command.retryMs > nowMs) {
    const failure = command.error === null ? '' : `: ${errorText(command.error)}`;
    const tried = `attempt ${command.attempt} failed${failure}`;
    return { hop: 'RETRY_BACKOFF', sentence: `${tried}; tried again ${inText(command.retryMs - nowMs)}${end}` };
  }
  const [first] = blocking;
  if (first !== undefined) {
    const others = blocking.length === 1 ? '' : ` and ${blocking.length - 1} more`;
    const front = `${first.kind} ${first.id} (${first.state})${others}`;
    return { hop: 'ORDERING_KEY', sentence: `waiting behind ${front}, key "${command.orderingKey}"${end}` };
  }
  if (executor.inFlightMax !== null && inFlight >= executor.inFlightMax) {
    const sentence = `${executor.name} takes ${executor.inFlightMax} commands at once and has ${inFlight}${end}`;
    return { hop: 'CREDIT_LIMIT', sentence };
  }
  return { hop: 'DISPATCH', sentence: `about to be written to ${executor.name}${end}` };
}

function explainSent(situation: Situation, away: Absence | undefined): Explanation {
  const { command, executor, nowMs } = situation;
  const written = `written to ${executor.name}${sinceText(' at ', command.sentMs, nowMs)} (attempt ${command.attempt}) and not acknowledged`;
  const { deliverByMs, notAfterMs, finishByMs } = command.deadlines;
  const deliveryEndMs = Math.min(deliverByMs, notAfterMs ?? Infinity, finishByMs);
  if (away !== undefined) {
    // Nobody can write it again, so the missing receipt ends nothing: the agent may come back while it may be delivered.
    const end = `its outcome counts as unknown ${inText(Math.max(command.dueMs, deliveryEndMs) - nowMs)}`;
    return { hop: away.hop, sentence: `${written}; waiting for executor ${executor.name}, ${away.text}; ${end}` };
  }
  const again = command.resends + 1 < command.attemptsMax && command.dueMs < deliveryEndMs;
  const next = again ? 'written again' : 'its outcome counts as unknown';
  return { hop: 'RECEIPT', sentence: `${written}; ${next} ${inText(command.dueMs - nowMs)}` };
}

function explainReceived(situation: Situation, away: Absence | undefined): Explanation {
  const { command, executor, nowMs } = situation;
  const sentence = `in the journal of ${executor.name}${sinceText(' since ', command.receivedMs, nowMs)} and not started`;
  return withAgent(situation, away, 'AGENT_START', sentence);
}

function explainRunning(situation: Situation, away: Absence | undefined): Explanation {
  const { command, executor, progress, nowMs } = situation;
  const { finishWithinMs, progressWithinMs } = command.deadlines;
  const startMs = command.startMs ?? command.createMs;
  const words = progress === '' ? '' : ` (${progress})`;
  const running = `running on ${executor.name}${sinceText(' since ', command.startMs, nowMs)}${words}`;
  const overMs = nowMs - startMs - finishWithinMs;
  if (overMs >= 0) {
    const sentence = `${running}, ${spanText(overMs)} longer than the ${spanText(finishWithinMs)} it was given`;
    return withAgent(situation, away, 'OVERRUN', sentence);
  }
  const silentMs = nowMs - (command.progressMs ?? startMs);
  if (progressWithinMs !== null && silentMs >= progressWithinMs) {
    const sentence = `${running}, silent for ${spanText(silentMs)} where ${spanText(progressWithinMs)} are allowed`;
    return withAgent(situation, away, 'OVERRUN', sentence);
  }
  return withAgent(situation, away, 'EXECUTION', running);
}

/** What is with the agent goes on without the platform, but its word cannot come while the agent is away. */
function withAgent(situation: Situation, away: Absence | undefined, hop: HopName, sentence: string): Explanation {
  const { command, executor, nowMs } = situation;
  const end = `its outcome counts as unknown ${inText(command.dueMs - nowMs)}`;
  if (away === undefined) return { hop, sentence: `${sentence}; ${end}` };
  return { hop: away.hop, sentence: `${sentence}; waiting for executor ${executor.name}, ${away.text}; ${end}` };
}

function cancellationText({ cancelRequestMs }: Command, nowMs: number): string {
  if (cancelRequestMs === null) return '';
  return `; cancellation was asked of the agent at ${clockTime(cancelRequestMs, nowMs)}, its answer decides`;
}

function sinceText(words: string, ms: number | null, nowMs: number): string {
  return ms === null ? '' : `${words}${clockTime(ms, nowMs)}`;
}

function inText(ms: number): string {
  return ms <= 0 ? 'any moment' : `in ${spanText(ms)}`;
}
