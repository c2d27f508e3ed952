import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListCommandsRequest,
  ListCommandsRequestSchema,
  type ListCommandsResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { parseFilter } from '../wire/command-filter.ts';
import { decodeNumber, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { checksOf, pageSizeOf } from '../wire/request-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { presentCommands } from './presenting.ts';

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
    const belowSequence = request.pageToken === '' ? Number.MAX_SAFE_INTEGER : decodeNumber(scope, request.pageToken);
    const page = await reader.list(accountId, { executorId, states, kinds }, { belowSequence, commandsMax });
    return {
      commands: await presentCommands(directory, accountId, page.commands),
      nextPageToken: page.nextSequence === null ? '' : encodePosition(scope, String(page.nextSequence)),
    };
  };
}
