import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListCommandsRequest,
  ListCommandsRequestSchema,
  type ListCommandsResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { CommandPage } from '../domain/command-reader.ts';
import { parseFilter } from '../wire/command-filter.ts';
import { decodeId, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { checksOf, pageSizeOf } from '../wire/request-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { presentCommands } from './presenting.ts';

/** Well below what a port sends, as JSON too. */
const PAGE_BYTES_MAX = 4 * 1_048_576;

/** Above every id that is made in order of time. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export function listCommands({ reader, directory }: CommandHandlerDependencies) {
  return async (
    request: ListCommandsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListCommandsResponse, 'commands' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListCommandsRequestSchema, request);
    const { executor, states, kinds } = parseFilter(request.filter, checks.within('filter'));
    const commandsMax = pageSizeOf(request.pageSize, checks);
    checks.throwIfAny();
    const executorId = executor === '' ? undefined : (await directory.resolve(accountId, executor)).id;
    // Bound to the executor's id: a token holds whether the executor is named by name or id.
    const scope: PositionScope = {
      field: 'page_token',
      bound: ['ListCommands', accountId, executorId ?? null, states, kinds],
    };
    const belowId = request.pageToken === '' ? LAST_ID : decodeId(scope, request.pageToken);
    const page = await reader.list(accountId, { executorId, states, kinds }, { belowId, commandsMax });
    const { commands, nextId } = fitting(page);
    return {
      commands: await presentCommands(directory, accountId, commands),
      nextPageToken: nextId === null ? '' : encodePosition(scope, nextId),
    };
  };
}

/** A page of large results ends early, because a message has a largest size; the next page goes on where it ended. */
function fitting(page: CommandPage): CommandPage {
  let bytes = 0;
  const end = page.commands.findIndex((command, index) => {
    bytes += command.parameters.length + (command.result?.length ?? 0);
    return index > 0 && bytes > PAGE_BYTES_MAX;
  });
  if (end === -1) return page;
  const commands = page.commands.slice(0, end);
  return { commands, nextId: commands.at(-1)?.id ?? null };
}
