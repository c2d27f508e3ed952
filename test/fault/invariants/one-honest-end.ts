import { isTerminalState } from '../history-record.ts';
import { actsOf, type RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** The sweeper looks twice a second; the rest is room for its statement on a busy machine. */
const SWEEP_MS_MAX = 1_500;
/** States that promise that nothing took effect. */
const WITHOUT_EFFECT = new Set(['FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED']);

/**
 * I1: an accepted command is durable and reaches exactly one terminal state by `finish_by` plus one sweep; and that state
 * says what happened.
 */
export function* oneHonestEnd(history: RecordedHistory): Iterable<Violation> {
  for (const [commandId, attempts] of history.attemptsByCommand) {
    if (history.commands.has(commandId)) continue;
    const evidence = attempts.flatMap(({ called, returned }) =>
      returned === undefined ? [called] : [called, returned],
    );
    yield { invariant: 'I1', message: `command ${commandId} was accepted and is not stored`, evidence };
  }
  for (const command of history.commands.values()) {
    const { commandId, state } = command;
    const rows = history.rowsByCommand.get(commandId) ?? [];
    if (!isTerminalState(state)) {
      const message = `command ${commandId} is still ${state} when everything is at rest`;
      yield { invariant: 'I1', message, evidence: [command, ...rows] };
      continue;
    }
    const end = rows.flatMap((row) => row.steps).find((step) => isTerminalState(step.to));
    const latestMs = latestEndMs(history, command.finishByMs);
    if (end !== undefined && end.atMs > latestMs) {
      const message = `command ${commandId} ended ${end.atMs - latestMs} ms later than its finish_by and one sweep`;
      yield { invariant: 'I1', message, evidence: [command, ...rows] };
    }
    yield* honestly(history, commandId);
  }
}

function* honestly(history: RecordedHistory, commandId: string): Iterable<Violation> {
  const command = history.commands.get(commandId);
  // Only what recording agents execute can be judged.
  if (command === undefined || !history.agentRuns.some((run) => run.executor === command.executor)) return;
  const effects = actsOf(history, commandId, 'effect');
  const acts = history.acts.get(commandId) ?? [];
  const rows = history.rowsByCommand.get(commandId) ?? [];
  if (command.state === 'SUCCEEDED' && effects.length === 0) {
    const message = `command ${commandId} is said to have succeeded and had no effect`;
    yield { invariant: 'I1', message, evidence: [command, ...acts, ...rows] };
  }
  if (WITHOUT_EFFECT.has(command.state) && effects.length > 0) {
    const message = `command ${commandId} ended ${command.state} and had its effect`;
    yield { invariant: 'I1', message, evidence: [command, ...acts, ...rows] };
  }
}

/** A deadline that fell into an outage of the platform can only be called when that is over. */
function latestEndMs(history: RecordedHistory, finishByMs: number): number {
  let latestMs = finishByMs + SWEEP_MS_MAX;
  for (const fault of history.faults.toSorted((a, b) => a.atMs - b.atMs)) {
    if (fault.platformAway && fault.atMs <= latestMs) latestMs = Math.max(latestMs, fault.untilMs + SWEEP_MS_MAX);
  }
  return latestMs;
}
