import { type HistoryRow, isTerminalState, type RecordedStep } from '../history-record.ts';
import type { RecordedHistory, SettleAttempt } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';
import { isOperators } from './operators-word.ts';

/**
 * I2: the steps of a command are one unbroken path that ends at its terminal state; only OUTCOME_UNKNOWN may be followed by
 * one step more, which settles it: by a late answer, or by the word that an operator has given for just that end. What a
 * caller was told to be cancelled or settled stays so.
 */
export function* terminalIsFinal(history: RecordedHistory): Iterable<Violation> {
  for (const promise of history.cancelled) {
    const command = history.commands.get(promise.commandId ?? '');
    if (command?.state === 'CANCELLED') continue;
    const message = `command ${promise.commandId} was said to be cancelled and ended ${command?.state ?? 'nowhere'}`;
    const rows = history.rowsByCommand.get(promise.commandId ?? '') ?? [];
    yield { invariant: 'I2', message, evidence: [promise, ...rows] };
  }
  for (const [commandId, settles] of history.settlesByCommand) yield* brokenWord(history, commandId, settles);
  for (const command of history.commands.values()) {
    const rows = history.rowsByCommand.get(command.commandId) ?? [];
    const last = rows.at(-1)?.steps.at(-1);
    if (last?.to === command.state) continue;
    // A spoilt row may say anything; how it ended stands in its history.
    if (history.poisoned.has(command.commandId) && last === undefined) continue;
    const message = `command ${command.commandId} is ${command.state}, and its history ends with ${last?.to ?? 'nothing'}`;
    yield { invariant: 'I2', message, evidence: [command, ...rows] };
  }
  for (const [commandId, rows] of history.rowsByCommand) {
    const breach = brokenPath(rows, history.settlesByCommand.get(commandId) ?? []);
    if (breach !== undefined) yield { invariant: 'I2', message: `command ${commandId} ${breach}`, evidence: rows };
  }
}

/** An operator was told that a command is settled by their word, and it is not. */
function* brokenWord(
  history: RecordedHistory,
  commandId: string,
  settles: readonly SettleAttempt[],
): Iterable<Violation> {
  const rows = history.rowsByCommand.get(commandId) ?? [];
  const last = rows.at(-1)?.steps.at(-1);
  for (const { called, returned } of settles) {
    if (returned?.outcome !== 'settled') continue;
    if (last !== undefined && isOperators(last) && last.to === called.state) continue;
    const message = `command ${commandId} was said to be settled as ${called.state} and ended ${last?.to ?? 'nowhere'} (${last?.cause ?? 'no history'})`;
    yield { invariant: 'I2', message, evidence: [called, returned, ...rows] };
  }
}

/** Whether a step may follow OUTCOME_UNKNOWN. */
function maySettle(step: RecordedStep, settles: readonly SettleAttempt[]): boolean {
  if (step.cause === 'settled') return isTerminalState(step.to);
  if (!isOperators(step)) return false;
  return settles.some(({ called, returned }) => called.state === step.to && returned?.outcome !== 'refused');
}

function brokenPath(rows: readonly HistoryRow[], settles: readonly SettleAttempt[]): string | undefined {
  let before: RecordedStep | undefined;
  let settled = false;
  for (const step of rows.flatMap((row) => row.steps)) {
    if (before !== undefined && step.from !== before.to && step.cause !== 'quarantined') {
      return `went on from ${step.from || 'nothing'} after ${before.to}`;
    }
    if (before !== undefined && isTerminalState(before.to)) {
      if (before.to !== 'OUTCOME_UNKNOWN' || !maySettle(step, settles))
        return `left ${before.to} for ${step.to} (${step.cause})`;
      if (settled) return 'was settled twice';
      settled = true;
    }
    before = step;
  }
  return undefined;
}
