import type { FinalCommand } from '../history-record.ts';
import { actsOf, type RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';
import { keyContains, supersedes } from './related-keys.ts';

/**
 * I9: no START takes effect after its STOP was issued. Exactly visible are two cases: a start that was with no agent when its
 * stop was committed must not start any more, and no start may begin after its stop has.
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
  const before = rows
    .filter((row) => row.number < stop.sequence)
    .at(-1)
    ?.steps.at(-1);
  // Attempts that had failed by then are history; a later one would be a start.
  const again = acts.some((act) => act.type === 'start' && act.attempt > (before?.attempt ?? 0));
  if (before?.to === 'PENDING' && again) {
    const message = `${start.kind} ${start.commandId} was with no agent when ${stop.kind} ${stop.commandId} was issued, and started`;
    yield { invariant: 'I9', message, evidence };
    return;
  }
  const stopStartMs = stopActs.find((act) => act.type === 'start')?.atMs ?? Number.POSITIVE_INFINITY;
  if (acts.some((act) => act.type === 'start' && act.atMs > stopStartMs)) {
    const message = `${start.kind} ${start.commandId} started after ${stop.kind} ${stop.commandId} had started`;
    yield { invariant: 'I9', message, evidence };
  }
}
