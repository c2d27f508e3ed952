import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchCommandsRequest,
  WatchCommandsRequestSchema,
  type WatchCommandsResponse,
  WatchCommandsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { Command } from '../domain/command.ts';
import type { HistoryEntry } from '../domain/repository.ts';
import { parseFilter } from '../wire/command-filter.ts';
import { commandToProto, transitionToProto } from '../wire/command-to-proto.ts';
import { decodeNumber, encodePosition, invalidPosition, type PositionScope } from '../wire/position-token.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { keepingUp } from '../../platform/grpc/keeping-up.ts';
import { createWaker } from '../../platform/waker.ts';

/** What one statement wrote lies in one row, and is read as a whole however little of it is asked for. */
const ENTRIES_PER_LOOK = 1_000;
/** Results may be large: so many of them stay a few megabytes. */
const COMMANDS_PER_LOOK = 100;
/** Without a ring, history is looked at this often. */
const POLL_MS = 1_000;
/** A watcher that sees nothing learns how far it has come after this and one more look: within 5 s. */
const CHECKPOINT_MS = 4_000;

interface Watch {
  readonly accountId: string;
  readonly scope: PositionScope;
  readonly startNumber: number;
  readonly executorId: string | undefined;
  readonly matches: (entry: HistoryEntry, command: Command | undefined) => boolean;
}

export function watchCommands(deps: CommandHandlerDependencies) {
  return async function* (
    request: WatchCommandsRequest,
    context: HandlerContext,
  ): AsyncGenerator<WatchCommandsResponse> {
    const watch = await open(deps, request, callerOf(context).accountId);
    yield* keepingUp(events(deps, watch, context.signal), deps.clock, 'resume from the last cursor');
  };
}

async function open(
  { reader, directory }: CommandHandlerDependencies,
  request: WatchCommandsRequest,
  accountId: string,
): Promise<Watch> {
  const checks = checksOf(WatchCommandsRequestSchema, request);
  const filter = parseFilter(request.filter, checks.within('filter'));
  checks.throwIfAny();
  const executorId = filter.executor === '' ? undefined : (await directory.resolve(accountId, filter.executor)).id;
  const scope: PositionScope = { field: 'cursor', bound: ['WatchCommands', accountId] };
  const { newest, removed } = await reader.historyRange(accountId);
  const fresh = request.fromStart ? removed : newest;
  const startNumber = request.cursor === '' ? fresh : decodeNumber(scope, request.cursor);
  if (startNumber > newest) throw invalidPosition(scope, 'is ahead of everything that has happened');
  if (startNumber < removed) throw tooOld(removed);
  const states = new Set<string>(filter.states);
  const kinds = new Set<string>(filter.kinds);
  return {
    accountId,
    scope,
    startNumber,
    executorId,
    // By the steps themselves, not by the state at reading: what a resumed watcher sees does not depend on when it reads.
    matches: (entry, command) =>
      (states.size === 0 || entry.steps.some((step) => states.has(step.to))) &&
      (kinds.size === 0 || (command !== undefined && kinds.has(command.kind))),
  };
}

async function* events(
  deps: CommandHandlerDependencies,
  watch: Watch,
  signal: AbortSignal,
): AsyncGenerator<WatchCommandsResponse> {
  const { reader, bell, clock } = deps;
  const { accountId, executorId } = watch;
  // Subscribed before the first look: what is written in between rings.
  const waker = createWaker((ring) => bell.onHistory(accountId, ring), signal, clock);
  try {
    let number = watch.startNumber;
    yield checkpoint(watch, number);
    let toldMs = clock.steadyMs();
    while (!signal.aborted) {
      const page = await reader.historyAfter(accountId, number, { entriesMax: ENTRIES_PER_LOOK, executorId });
      // Retention may have passed a reader that rested for long; a gap is never passed over in silence.
      if (page.removedNumber > number) throw tooOld(page.removedNumber);
      for (let from = 0; from < page.entries.length; from += COMMANDS_PER_LOOK) {
        for (const event of await present(deps, watch, page.entries.slice(from, from + COMMANDS_PER_LOOK))) {
          yield event;
          toldMs = clock.steadyMs();
        }
      }
      number = page.throughNumber;
      if (clock.steadyMs() - toldMs >= CHECKPOINT_MS) {
        yield checkpoint(watch, number);
        toldMs = clock.steadyMs();
      }
      if (!page.more) await waker.wait(POLL_MS);
    }
  } finally {
    waker.stop();
  }
}

async function present(
  { reader, directory }: CommandHandlerDependencies,
  watch: Watch,
  entries: readonly HistoryEntry[],
): Promise<WatchCommandsResponse[]> {
  const { accountId, scope } = watch;
  const commands = await reader.getMany(accountId, [...new Set(entries.map((entry) => entry.commandId))]);
  const matching = entries.filter((entry) => watch.matches(entry, commands.get(entry.commandId)));
  const names = await directory.names(
    accountId,
    matching.map((entry) => entry.executorId),
  );
  return matching.map((entry) => {
    const command = commands.get(entry.commandId);
    return create(WatchCommandsResponseSchema, {
      cursor: encodePosition(scope, String(entry.number)),
      commandId: entry.commandId,
      transitions: entry.steps.map(transitionToProto),
      ...(command === undefined ? {} : { command: commandToProto(command, names.get(command.executorId) ?? '') }),
    });
  });
}

function checkpoint({ scope }: Watch, number: number): WatchCommandsResponse {
  return create(WatchCommandsResponseSchema, { cursor: encodePosition(scope, String(number)) });
}

function tooOld(removed: number): StatusError {
  return new StatusError(
    'OutOfRange',
    'CURSOR_TOO_OLD',
    'the history up to this cursor is no longer kept; list the commands, then watch without a cursor',
    { metadata: { oldest: String(removed + 1) } },
  );
}
