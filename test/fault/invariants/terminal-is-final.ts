import type { Violation } from '../history-checker.ts';
import { type HistoryRow, isTerminalState, type RecordedStep } from '../history-record.ts';
import type { RecordedHistory } from '../recorded-history.ts';

/**
 * I2: the steps of a command are one unbroken path that ends at its terminal state; only OUTCOME_UNKNOWN may be followed by
 * one step more, which settles it. What a caller was told to be cancelled stays so.
 */
export function* terminalIsFinal(history: RecordedHistory): Iterable<Violation> {
  for (const promise of history.cancelled) {
    const command = history.commands.get(promise.commandId ?? '');
    if (command?.state === 'CANCELLED') continue;
    const message = `command ${promise.commandId} was said to be cancelled and ended ${command?.state ?? 'nowhere'}`;
    const rows = history.rowsByCommand.get(promise.commandId ?? '') ?? [];
    yield { invariant: 'I2', message, evidence: [promise, ...rows] };
  }
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
    const breach = brokenPath(rows);
    if (breach !== undefined) yield { invariant: 'I2', message: `command ${commandId} ${breach}`, evidence: rows };
  }
}

function brokenPath(rows: readonly HistoryRow[]): string | undefined {
  let before: RecordedStep | undefined;
  let settled = false;
  for (const step of rows.flatMap((row) => row.steps)) {
    if (before !== undefined && step.from !== before.to && step.cause !== 'quarantined') {
      return `went on from ${step.from || 'nothing'} after ${before.to}`;
    }
    if (before !== undefined && isTerminalState(before.to)) {
      const settles = before.to === 'OUTCOME_UNKNOWN' && step.cause === 'settled' && isTerminalState(step.to);
      if (!settles) return `left ${before.to} for ${step.to} (${step.cause})`;
      if (settled) return 'was settled twice';
      settled = true;
    }
    before = step;
  }
  return undefined;
}
