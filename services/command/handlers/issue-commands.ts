import type { HandlerContext } from '@connectrpc/connect';
import {
  type IssueCommandsRequest,
  IssueCommandsRequestSchema,
  type IssueCommandsResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { ownUnknownFields } from '../../platform/grpc/parse.ts';
import { FieldChecks } from '../wire/field-checks.ts';
import { parseIssueRequest } from '../wire/issue-request.ts';
import { sentPayloadsOf } from '../wire/sent-payloads.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { issueParsed } from './issuing.ts';
import { checkEnvelope, presentOutcomes } from './issuing-many.ts';

export function issueCommands(deps: CommandHandlerDependencies) {
  return async (
    request: IssueCommandsRequest,
    context: HandlerContext,
  ): Promise<Pick<IssueCommandsResponse, 'outcomes'>> => {
    const { accountId } = callerOf(context);
    checkEnvelope(request, new FieldChecks(ownUnknownFields(IssueCommandsRequestSchema, request)));
    const nowMs = deps.clock.nowMs();
    const payloads = sentPayloadsOf(request);
    const parsed = request.requests.map((one, i) => parseIssueRequest(one, nowMs, payloads[i]));
    return presentOutcomes(deps, accountId, await issueParsed(deps, accountId, parsed), request);
  };
}
