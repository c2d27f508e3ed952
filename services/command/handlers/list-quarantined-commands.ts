import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListQuarantinedCommandsRequest,
  ListQuarantinedCommandsRequestSchema,
  type ListQuarantinedCommandsResponse,
  QuarantinedCommandSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { decodePosition, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { checksOf, pageSizeOf } from '../wire/request-checks.ts';
import { timestampOf } from '../wire/time.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';

export function listQuarantinedCommands({ reader, directory }: CommandHandlerDependencies) {
  return async (
    request: ListQuarantinedCommandsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListQuarantinedCommandsResponse, 'commands' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListQuarantinedCommandsRequestSchema, request);
    checks.text('executor', request.executor);
    const pageSize = pageSizeOf(request.pageSize, checks);
    checks.throwIfAny();
    const executorId = request.executor === '' ? undefined : (await directory.resolve(accountId, request.executor)).id;
    const scope: PositionScope = { field: 'page_token', bound: ['ListQuarantined', accountId, executorId ?? null] };
    const after = request.pageToken === '' ? undefined : decodePosition(scope, request.pageToken);
    // One more than the page holds tells whether there is another.
    const rows = await reader.quarantined(accountId, { executorId, after, rowsMax: pageSize + 1 });
    const shown = rows.slice(0, pageSize);
    const last = rows.length > pageSize ? shown.at(-1) : undefined;
    return {
      commands: shown.map((row) =>
        create(QuarantinedCommandSchema, {
          commandId: row.commandId,
          executorId: row.executorId,
          defect: row.defect,
          rowJson: row.rowJson,
          quarantineTime: timestampOf(row.quarantineMs),
        }),
      ),
      nextPageToken: last === undefined ? '' : encodePosition(scope, last.position),
    };
  };
}
