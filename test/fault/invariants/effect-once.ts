import { actsOf, type RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** I3: at most one effect a command, counted over all agents, attempts and restarts. */
export function* effectOnce(history: RecordedHistory): Iterable<Violation> {
  for (const [commandId, acts] of history.acts) {
    const effects = actsOf(history, commandId, 'effect');
    if (effects.length <= 1) continue;
    const message = `command ${commandId} took effect ${effects.length} times`;
    yield { invariant: 'I3', message, evidence: [...acts, ...(history.rowsByCommand.get(commandId) ?? [])] };
  }
}
