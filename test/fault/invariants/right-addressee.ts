import type { RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** I6: nothing reaches an executor or an account that it is not for. */
export function* rightAddressee(history: RecordedHistory): Iterable<Violation> {
  for (const [commandId, attempts] of history.attemptsByCommand) {
    const command = history.commands.get(commandId);
    const other = attempts.find(
      ({ called }) =>
        command !== undefined && (called.executor !== command.executor || called.account !== command.account),
    );
    if (command === undefined || other === undefined) continue;
    const message = `command ${commandId} is stored for another executor or account than it was asked for`;
    yield { invariant: 'I6', message, evidence: [other.called, command] };
  }
  for (const [commandId, acts] of history.acts) {
    const command = history.commands.get(commandId);
    const stranger = acts.find((act) => act.executor !== command?.executor || act.account !== command.account);
    if (stranger === undefined) continue;
    const message = `command ${commandId} reached agent ${stranger.agent}, for whose executor and account it was not issued`;
    yield { invariant: 'I6', message, evidence: [stranger, ...(command === undefined ? [] : [command])] };
  }
  for (const [watcher, rows] of history.watchedBy) {
    const foreign = rows.find((row) => history.commands.get(row.commandId)?.account !== row.account);
    if (foreign === undefined) continue;
    const message = `watcher ${watcher} of account ${foreign.account} saw command ${foreign.commandId}, which is not of that account`;
    yield { invariant: 'I6', message, evidence: [foreign] };
  }
}
