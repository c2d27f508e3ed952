import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListAccountsRequest,
  ListAccountsRequestSchema,
  type ListAccountsResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { refuseUnknownFields } from '../../platform/grpc/parse.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';

/** For services that look after all accounts, whichever they call for; the gateway serves it to nobody. */
export function listAccounts({ reader }: CommandHandlerDependencies) {
  return async (
    request: ListAccountsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListAccountsResponse, 'accountIds'>> => {
    callerOf(context);
    refuseUnknownFields(ListAccountsRequestSchema, request);
    return { accountIds: [...(await reader.accounts())] };
  };
}
