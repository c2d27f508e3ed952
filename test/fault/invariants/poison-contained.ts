import { isTerminalState } from '../history-record.ts';
import type { RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** I13: one poisoned row never stops another: it is set aside with its defect, and everything else goes on. */
export function* poisonContained(history: RecordedHistory): Iterable<Violation> {
  for (const commandId of history.poisoned) {
    const rows = history.rowsByCommand.get(commandId) ?? [];
    if ((history.defects.get(commandId) ?? '') === '') {
      yield {
        invariant: 'I13',
        message: `poisoned row ${commandId} is not in quarantine with a reason`,
        evidence: rows,
      };
    }
    const acts = history.acts.get(commandId) ?? [];
    if (acts.length > 0) {
      yield { invariant: 'I13', message: `poisoned row ${commandId} reached an agent`, evidence: acts };
    }
  }
  for (const [commandId, defect] of history.defects) {
    if (history.poisoned.has(commandId)) continue;
    const message = `row ${commandId} is in quarantine ("${defect}") and nothing was wrong with it`;
    yield { invariant: 'I13', message, evidence: history.rowsByCommand.get(commandId) ?? [] };
  }
  if (history.poisoned.size === 0) return;
  for (const command of history.commands.values()) {
    if (history.poisoned.has(command.commandId) || isTerminalState(command.state)) continue;
    const message = `command ${command.commandId} did not go on beside a poisoned row`;
    yield { invariant: 'I13', message, evidence: [command] };
  }
}
