import {
  type ListAccountsRequest,
  ListAccountsRequestSchema,
  type ListAccountsResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { refuseUnknownFields } from '../../platform/grpc/parse.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';

/** For services that look after all accounts; the gateway serves it to nobody. */
export function listAccounts({ reader }: CommandHandlerDependencies) {
  return async (request: ListAccountsRequest): Promise<Pick<ListAccountsResponse, 'accountIds'>> => {
    refuseUnknownFields(ListAccountsRequestSchema, request);
    return { accountIds: [...(await reader.accounts())] };
  };
}
