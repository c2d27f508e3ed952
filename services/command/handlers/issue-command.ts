import type { HandlerContext } from '@connectrpc/connect';
import type {
  IssueCommandRequest,
  IssueCommandResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { commandToProto } from '../wire/command-to-proto.ts';
import { parseIssueRequest } from '../wire/issue-request.ts';
import { IssuedCommand, isJustIssued } from '../wire/issued-command.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { commandOf, issueParsed } from './issuing.ts';

export function issueCommand(deps: CommandHandlerDependencies) {
  return async (
    request: IssueCommandRequest,
    context: HandlerContext,
  ): Promise<Pick<IssueCommandResponse, 'command' | 'alreadyIssued'>> => {
    const { accountId } = callerOf(context);
    const [outcome] = await issueParsed(deps, accountId, [parseIssueRequest(request, deps.clock.nowMs())]);
    const { command, already } = commandOf(outcome);
    const names = await deps.directory.names(accountId, [command.executorId]);
    const name = names.get(command.executorId) ?? '';
    if (!already && isJustIssued(command)) return new IssuedCommand(command, name);
    return { command: commandToProto(command, name), alreadyIssued: already };
  };
}
