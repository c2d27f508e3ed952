import { type RecordedHistory, requestKey } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** I7: one `request_id`, one command: the same for the same body, an error for another; and a refused call stored nothing. */
export function* requestOnce(history: RecordedHistory): Iterable<Violation> {
  const stored = Map.groupBy(
    [...history.commands.values()].filter((command) => command.requestId !== undefined),
    (command) => requestKey(command.account, command.requestId ?? ''),
  );
  for (const [key, commands] of stored) {
    if (commands.length <= 1) continue;
    yield { invariant: 'I7', message: `request ${key} made ${commands.length} commands`, evidence: commands };
  }
  for (const [key, attempts] of history.attemptsByRequest) {
    const calls = attempts.flatMap(({ called, returned }) => (returned === undefined ? [called] : [called, returned]));
    const issued = attempts.filter(({ returned }) => returned?.outcome === 'issued');
    const ids = new Set(issued.map(({ returned }) => returned?.commandId));
    if (ids.size > 1) {
      yield { invariant: 'I7', message: `request ${key} was answered with ${ids.size} commands`, evidence: calls };
    }
    if (new Set(issued.map(({ called }) => called.body)).size > 1) {
      yield { invariant: 'I7', message: `request ${key} was accepted with two bodies`, evidence: calls };
    }
    const made = issued.filter(({ returned }) => returned?.already === false);
    if (made.length > 1) {
      yield { invariant: 'I7', message: `request ${key} was new ${made.length} times`, evidence: calls };
    }
    const allRefused = attempts.every(({ returned }) => returned?.outcome === 'refused');
    const left = stored.get(key)?.[0];
    if (allRefused && left !== undefined) {
      yield { invariant: 'I7', message: `request ${key} was refused and stored`, evidence: [...calls, left] };
    }
  }
  const requestsByCommand = Map.groupBy(
    [...history.attemptsByCommand].flatMap(([commandId, attempts]) =>
      attempts.map(({ called }) => ({ commandId, called })),
    ),
    ({ commandId }) => commandId,
  );
  for (const [commandId, calls] of requestsByCommand) {
    if (new Set(calls.map(({ called }) => requestKey(called.account, called.requestId))).size <= 1) continue;
    const message = `command ${commandId} answers to several requests`;
    yield { invariant: 'I7', message, evidence: calls.map(({ called }) => called) };
  }
}
