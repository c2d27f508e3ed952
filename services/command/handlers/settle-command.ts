import type { HandlerContext } from '@connectrpc/connect';
import {
  type SettleCommandRequest,
  SettleCommandRequestSchema,
  type SettleCommandResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/request-checks.ts';
import { checkFillsOf, checkSettlement, wordOf } from '../wire/settle-request.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { presentCommand, readCommand } from './presenting.ts';

export function settleCommand({ reader, desk, directory }: CommandHandlerDependencies) {
  return async (
    request: SettleCommandRequest,
    context: HandlerContext,
  ): Promise<Pick<SettleCommandResponse, 'command' | 'alreadySettled'>> => {
    const { accountId, subject } = callerOf(context);
    const checks = checksOf(SettleCommandRequestSchema, request);
    checkSettlement(request, checks);
    checks.throwIfAny();
    // What a command may have dealt depends on its kind, which never changes.
    checkFillsOf(await readCommand(reader, accountId, request.id), request, checks);
    checks.throwIfAny();
    const { command, already } = await desk.settle(accountId, request.id.toLowerCase(), wordOf(request, subject));
    return { command: await presentCommand(directory, command), alreadySettled: already };
  };
}
