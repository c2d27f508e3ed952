import type { Finished } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import type { Adapter, AdapterCommand, Recovery } from '../adapters/adapter.ts';
import { tagOf } from '../adapters/tag.ts';
import type { AgentClock } from '../agent-clock.ts';
import { type ClockReading, isOverdue } from '../domain/start-deadline.ts';
import { cancelled, expired, outcomeAnswer, outcomeUnknown } from './answers.ts';
import type { LiveCommand } from './live-command.ts';
import { withinTime } from './within-time.ts';

/** How often an adapter that throws is asked again: a venue may need a moment after a restart. */
const RECOVER_TRIES_MAX = 5;
const RECOVER_BACKOFF = { firstMs: 500, maxMs: 5_000 } as const;
/** Longest time that one answer may take. */
const RECOVER_MS_MAX = 30_000;

/** What the adapter found out, or why it could not. */
export type RecoveryAnswer = { readonly found: Recovery } | { readonly notFound: string };

/**
 * Asks the adapter what became of a started command, a few times when it throws. Never rejects: what cannot be found out is
 * an answer too.
 */
export async function recoverCommand(
  adapter: Adapter,
  command: AdapterCommand,
  clock: AgentClock,
  logger: Logger,
  signal: AbortSignal,
): Promise<RecoveryAnswer> {
  let failure = '';
  for (let attempt = 1; attempt <= RECOVER_TRIES_MAX && !signal.aborted; attempt++) {
    try {
      const ask = async (late: AbortSignal): Promise<Recovery> =>
        adapter.recover(command, { tag: tagOf(command.id), signal: AbortSignal.any([late, signal]) });
      return { found: await withinTime(clock, RECOVER_MS_MAX, ask) };
    } catch (thrown) {
      failure = messageOf(thrown);
      logger.warn({ err: thrown, commandId: command.id, attempt }, 'adapter could not tell what became of a command');
    }
    if (attempt < RECOVER_TRIES_MAX) await pause(clock, backoffMs(attempt, RECOVER_BACKOFF), signal);
  }
  return { notFound: signal.aborted ? 'the agent is stopping' : failure };
}

/**
 * How a command that was running when the agent ended goes on: with an answer, or executed after all, because nothing took
 * effect and its time is not over.
 */
export function recoveredAnswer(
  command: LiveCommand,
  answer: RecoveryAnswer,
  stopWanted: boolean,
  now: ClockReading,
): Finished | 'execute' {
  if ('notFound' in answer || answer.found === 'unknown') {
    const why = 'notFound' in answer ? answer.notFound : 'the venue cannot tell';
    return outcomeUnknown(
      'EFFECT_UNCERTAIN',
      `the agent ended while this ran, and nobody can say what became of it: ${why}`,
    );
  }
  if (answer.found !== 'not_executed') return outcomeAnswer(answer.found);
  if (stopWanted || command.supersededBy !== undefined) return cancelled(command.supersededBy);
  const runningMs = now.monotonicMs - command.stageSince.monotonicMs;
  if (isOverdue(command.startBudget, now) || runningMs >= (command.finishWithinMs ?? Number.POSITIVE_INFINITY)) {
    return expired('the agent ended before this took effect, and came back after its time was over', 'FINISH_DEADLINE');
  }
  return 'execute';
}
