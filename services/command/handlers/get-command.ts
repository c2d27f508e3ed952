import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetCommandRequest,
  GetCommandRequestSchema,
  type GetCommandResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { presentCommand, readCommand } from './presenting.ts';

export function getCommand({ reader, directory }: CommandHandlerDependencies) {
  return async (request: GetCommandRequest, context: HandlerContext): Promise<Pick<GetCommandResponse, 'command'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetCommandRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    return { command: await presentCommand(directory, await readCommand(reader, accountId, request.id)) };
  };
}
