import { actsOf, type RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/**
 * The agent is told how long it has, not until when: what a delivery takes on the way between two processes of one machine
 * comes on top.
 */
const ONE_WAY_MS_MAX = 100;

/** I5: nothing starts after its `not_after`. */
export function* nothingAfterNotAfter(history: RecordedHistory): Iterable<Violation> {
  for (const command of history.commands.values()) {
    const { notAfterMs, commandId } = command;
    if (notAfterMs === undefined) continue;
    const late = actsOf(history, commandId, 'start').find((start) => start.atMs > notAfterMs + ONE_WAY_MS_MAX);
    if (late === undefined) continue;
    const message = `command ${commandId} started ${Math.round(late.atMs - notAfterMs)} ms after its not_after`;
    yield { invariant: 'I5', message, evidence: [command, late, ...(history.rowsByCommand.get(commandId) ?? [])] };
  }
}
