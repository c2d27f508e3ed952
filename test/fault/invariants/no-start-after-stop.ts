import type { Violation } from '../history-checker.ts';
import type { FinalCommand } from '../history-record.ts';
import { actsOf, type RecordedHistory } from '../recorded-history.ts';
import { keyContains, supersedes } from './related-keys.ts';

/**
 * I9: no START takes effect after its STOP was issued. Exactly visible are two cases: a start that had not been sent when its
 * stop was committed must never start, and no start may begin after its stop has.
 */
export function* noStartAfterStop(history: RecordedHistory): Iterable<Violation> {
  const byExecutor = Map.groupBy(history.commands.values(), (command) => `${command.account} ${command.executor}`);
  for (const commands of byExecutor.values()) {
    const stops = commands.filter((command) => command.kind.startsWith('stop_'));
    const started = commands.filter((command) => actsOf(history, command.commandId, 'start').length > 0);
    for (const stop of stops) {
      for (const start of started) {
        const concerned =
          supersedes(stop.kind, start.kind) && keyContains(stop.key, start.key) && start.sequence < stop.sequence;
        if (concerned) yield* judge(history, start, stop);
      }
    }
  }
}

function* judge(history: RecordedHistory, start: FinalCommand, stop: FinalCommand): Iterable<Violation> {
  const rows = history.rowsByCommand.get(start.commandId) ?? [];
  const acts = history.acts.get(start.commandId) ?? [];
  const stopActs = history.acts.get(stop.commandId) ?? [];
  const evidence = [stop, start, ...rows, ...acts, ...stopActs];
  if (waitedAt(rows, stop.sequence)) {
    const message = `${start.kind} ${start.commandId} was not yet sent when ${stop.kind} ${stop.commandId} was issued, and started`;
    yield { invariant: 'I9', message, evidence };
    return;
  }
  const stopStartMs = stopActs.find((act) => act.type === 'start')?.atMs ?? Number.POSITIVE_INFINITY;
  if (acts.some((act) => act.type === 'start' && act.atMs > stopStartMs)) {
    const message = `${start.kind} ${start.commandId} started after ${stop.kind} ${stop.commandId} had started`;
    yield { invariant: 'I9', message, evidence };
  }
}

/** Whether the command was with no agent when the account's history had reached `number`. */
function waitedAt(
  rows: readonly { readonly number: number; readonly steps: readonly { readonly to: string }[] }[],
  number: number,
): boolean {
  const state = rows
    .filter((row) => row.number < number)
    .at(-1)
    ?.steps.at(-1)?.to;
  return state === 'PENDING';
}
