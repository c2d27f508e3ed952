import type { HandlerContext } from '@connectrpc/connect';
import {
  type CancelCommandRequest,
  CancelCommandRequestSchema,
  type CancelCommandResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { presentCommand } from './presenting.ts';

export function cancelCommand({ desk, directory }: CommandHandlerDependencies) {
  return async (
    request: CancelCommandRequest,
    context: HandlerContext,
  ): Promise<Pick<CancelCommandResponse, 'command' | 'cancelled'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(CancelCommandRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    const { command, cancelled } = await desk.cancel(accountId, request.id.toLowerCase());
    return { command: await presentCommand(directory, command), cancelled };
  };
}
