import type { WatchCommandsResponse } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { CommandRecord } from '../domain/records.ts';
import type { FollowBook, Progress, SessionChange } from '../domain/follower.ts';
import type { Observed } from '../domain/observed.ts';
import { applyObserved } from '../domain/results.ts';
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
  return { changes: changesOf(wanted, newest), commands: haltCommands(wanted, newest) };
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

/** Of a kill switch only how it stands is noted here: its own sweep, kicked with it, does the rest. */
function haltCommands(wanted: readonly CommandRecord[], newest: ReadonlyMap<string, Observed>): CommandRecord[] {
  return wanted.flatMap((command) => {
    const observed = newest.get(command.requestId);
    if (command.purpose !== 'HALT' || observed === undefined) return [];
    const { state, commandId, reason, message, finishTimeMs } = observed;
    return [{ ...command, state, commandId, reason, message, finishTimeMs }];
  });
}
