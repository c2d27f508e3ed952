import type { WatchCommandsResponse } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { CommandRecord } from '../domain/records.ts';
import type { FollowBook, Progress, SessionChange } from '../domain/follower.ts';
import type { Draft } from '../domain/draft.ts';
import { namedSessions, type Observed } from '../domain/observed.ts';
import { applyObserved } from '../domain/results.ts';
import { closesPositions, executorHalted } from '../domain/stopped.ts';
import { observedFromProto } from '../wire/observed-from-proto.ts';

type Stretch = Pick<Progress, 'changes' | 'commands'>;

/** What a stretch of the history of commands means for sessions and halts. */
export async function readCommandNews(
  book: FollowBook,
  accountId: string,
  events: readonly WatchCommandsResponse[],
): Promise<Stretch> {
  const newest = new Map<string, Observed>();
  for (const { command } of events) {
    if (command !== undefined && command.requestId !== '') newest.set(command.requestId, observedFromProto(command));
  }
  if (newest.size === 0) return { changes: [], commands: [] };
  const wanted = await book.find(accountId, [...newest.keys()]);
  const changes = [...changesOf(wanted, newest), ...(await haltChanges(book, wanted, newest))];
  return { changes, commands: haltCommands(wanted, newest) };
}

function changesOf(wanted: readonly CommandRecord[], newest: ReadonlyMap<string, Observed>): SessionChange[] {
  const own = wanted.filter(({ purpose, sessionId }) => purpose !== 'HALT' && sessionId !== null);
  return [...Map.groupBy(own, ({ sessionId }) => sessionId ?? '')].map(([sessionId, commands]) => {
    const requestIds = commands.map(({ requestId }) => requestId);
    return {
      sessionId,
      options: { requestIds },
      work: (draft) => {
        // In the order in which they happened: an entry's answer before that of its exit.
        for (const [requestId, observed] of newest) if (requestIds.includes(requestId)) applyObserved(draft, observed);
      },
    };
  });
}

/**
 * What an answer to a kill switch says that it has closed, in the sessions that it names. The switch's own sweep looks at the
 * newest command of each executor alone, and at none when it is over; the session books the answer once.
 */
async function haltChanges(
  book: FollowBook,
  wanted: readonly CommandRecord[],
  newest: ReadonlyMap<string, Observed>,
): Promise<SessionChange[]> {
  const changes: SessionChange[] = [];
  for (const command of wanted) {
    const observed = newest.get(command.requestId);
    if (command.purpose !== 'HALT' || observed?.state !== 'SUCCEEDED') continue;
    const named = namedSessions(observed.fills);
    if (named.length === 0) continue;
    for (const sessionId of await book.onExecutor(command.accountId, command.executorId, named)) {
      const work = (draft: Draft): void => executorHalted(draft, observed, closesPositions(command));
      changes.push({ sessionId, options: { unpriced: true }, work });
    }
  }
  return changes;
}

/** How the command of a kill switch stands: the switch's own sweep, kicked with it, does the rest. */
function haltCommands(wanted: readonly CommandRecord[], newest: ReadonlyMap<string, Observed>): CommandRecord[] {
  return wanted.flatMap((command) => {
    const observed = newest.get(command.requestId);
    if (command.purpose !== 'HALT' || observed === undefined) return [];
    const { state, commandId, reason, message, finishTimeMs } = observed;
    return [{ ...command, state, commandId, reason, message, finishTimeMs }];
  });
}
