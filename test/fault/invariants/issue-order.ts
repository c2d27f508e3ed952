import type { CallReturn, FinalCommand, HistoryRecord, IssueCall } from '../history-record.ts';
import { actsOf, type RecordedHistory, requestKey } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';
import { Earlier } from './earlier.ts';
import { outerKeys, overtakesAll } from './related-keys.ts';

/** A command with the two spans of time that order it: in which it was issued, and in which it ran. */
interface Placed {
  readonly command: FinalCommand;
  /** Before another when its `issuedBy` is below the other's `issuedFrom`. */
  readonly issuedFrom: number;
  readonly issuedBy: number;
  readonly firstStartMs: number;
  readonly lastStartMs: number;
  /** When its last execution was over. */
  readonly overMs: number;
}

/**
 * I4: starts follow issue order within related ordering keys, one after the other. Issue order is what clients saw (a call
 * that had returned before another was made), and the sequence that the platform gave must agree with it and be kept, too.
 */
export function* issueOrder(history: RecordedHistory): Iterable<Violation> {
  yield* sequencesFollowCalls(history);
  const byExecutor = Map.groupBy(history.commands.values(), (command) => `${command.account} ${command.executor}`);
  for (const commands of byExecutor.values()) {
    const started = commands.filter(
      (command) => command.key !== '' && actsOf(history, command.commandId, 'start').length > 0,
    );
    yield* inOrder(
      history,
      started.map((command) => placedByCalls(history, command)),
      'their calls',
    );
    yield* inOrder(
      history,
      started.map((command) => placedBySequence(history, command)),
      'their sequence',
    );
  }
}

/** A command whose call was made after another's had returned has the higher sequence. */
function* sequencesFollowCalls(history: RecordedHistory): Iterable<Violation> {
  const byAccount = Map.groupBy(history.commands.values(), (command) => command.account);
  for (const commands of byAccount.values()) {
    const placed = commands.map((command) => placedByCalls(history, command));
    const earlier = new Earlier(
      placed,
      (item) => item.issuedBy,
      (item) => item.command.sequence,
    );
    for (const item of placed) {
      const before = earlier.highestBefore(item.issuedFrom);
      if (before === undefined || before.command.sequence < item.command.sequence) continue;
      const message = `${item.command.commandId} was issued after ${before.command.commandId} and has the lower sequence`;
      yield {
        invariant: 'I4',
        message,
        evidence: [...callsOf(history, before.command), ...callsOf(history, item.command)],
      };
    }
  }
}

function* inOrder(history: RecordedHistory, placed: readonly Placed[], order: string): Iterable<Violation> {
  const own = Map.groupBy(placed, ({ command }) => command.key);
  const within = new Map<string, Placed[]>();
  for (const item of placed) {
    for (const key of [item.command.key, ...outerKeys(item.command.key)]) {
      const members = within.get(key) ?? [];
      within.set(key, members);
      members.push(item);
    }
  }
  const issuedBy = (item: Placed): number => item.issuedBy;
  const lastOver = new Map<string, Earlier<Placed>>();
  const earlierAt = (name: string, members: readonly Placed[] | undefined): Earlier<Placed> => {
    const known =
      lastOver.get(name) ?? new Earlier(members ?? [], issuedBy, (item) => Math.max(item.overMs, item.lastStartMs));
    lastOver.set(name, known);
    return known;
  };
  for (const item of placed) {
    if (overtakesAll(item.command.kind)) continue;
    const { key } = item.command;
    const related = [
      earlierAt(`within ${key}`, within.get(key)),
      ...outerKeys(key).map((outer) => earlierAt(`own ${outer}`, own.get(outer))),
    ];
    const late = related
      .map((earlier) => earlier.highestBefore(item.issuedFrom))
      .find((before) => before !== undefined && Math.max(before.overMs, before.lastStartMs) > item.firstStartMs);
    if (late === undefined) continue;
    const what = late.lastStartMs > item.firstStartMs ? 'before' : 'beside';
    const message = `by ${order} ${late.command.commandId} (${late.command.key}) comes before ${item.command.commandId} (${key}), which started ${what} it`;
    yield { invariant: 'I4', message, evidence: [...storyOf(history, late), ...storyOf(history, item)] };
  }
}

/** Between its first call and the first return that had it, a command was issued. What no client issued has no order. */
function placedByCalls(history: RecordedHistory, command: FinalCommand): Placed {
  const calls = callsOf(history, command);
  const returns = history.attemptsByCommand.get(command.commandId) ?? [];
  return {
    ...runOf(history, command),
    issuedFrom: calls.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...calls.map((call) => call.atMs)),
    issuedBy: Math.min(...returns.map(({ returned }) => returned?.atMs ?? Number.POSITIVE_INFINITY)),
    command,
  };
}

function placedBySequence(history: RecordedHistory, command: FinalCommand): Placed {
  return { ...runOf(history, command), issuedFrom: command.sequence, issuedBy: command.sequence, command };
}

function runOf(
  history: RecordedHistory,
  command: FinalCommand,
): Pick<Placed, 'firstStartMs' | 'lastStartMs' | 'overMs'> {
  const acts = history.acts.get(command.commandId) ?? [];
  const starts = acts.filter((act) => act.type === 'start');
  const lastStartMs = starts.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const closed = acts.find((act) => (act.type === 'result' || act.type === 'recovered') && act.atMs >= lastStartMs);
  return {
    firstStartMs: starts[0]?.atMs ?? Number.POSITIVE_INFINITY,
    lastStartMs,
    overMs: givenUpMs(history, command, closed?.atMs),
  };
}

/** An execution that overran was given up at the command's end: what waits behind it may then go on. */
function givenUpMs(history: RecordedHistory, command: FinalCommand, closedMs: number | undefined): number {
  const end = (history.rowsByCommand.get(command.commandId) ?? [])
    .flatMap((row) => row.steps)
    .find((step) => step.to === 'OUTCOME_UNKNOWN');
  return Math.min(end?.atMs ?? Number.POSITIVE_INFINITY, closedMs ?? end?.atMs ?? Number.NEGATIVE_INFINITY);
}

/** Every call and return of the command's request. */
function callsOf(history: RecordedHistory, command: FinalCommand): (IssueCall | CallReturn)[] {
  if (command.requestId === undefined) return [];
  const attempts = history.attemptsByRequest.get(requestKey(command.account, command.requestId)) ?? [];
  return attempts.flatMap(({ called, returned }) => (returned === undefined ? [called] : [called, returned]));
}

function storyOf(history: RecordedHistory, placed: Placed): HistoryRecord[] {
  const { commandId } = placed.command;
  return [placed.command, ...(history.acts.get(commandId) ?? []), ...(history.rowsByCommand.get(commandId) ?? [])];
}
