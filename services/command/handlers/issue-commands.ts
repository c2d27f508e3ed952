import { create } from '@bufbuild/protobuf';
import { Code, type HandlerContext } from '@connectrpc/connect';
import {
  type IssueCommandsRequest,
  IssueCommandsRequestSchema,
  type IssueCommandsResponse,
  type IssueCommandsResponse_Outcome,
  IssueCommandsResponse_OutcomeSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { ownUnknownFields } from '../../platform/grpc/parse.ts';
import type { IssueOutcome } from '../domain/command-desk.ts';
import { BriefOutcomes } from '../wire/brief-outcomes.ts';
import { commandToProto } from '../wire/command-to-proto.ts';
import { reasonNumber } from '../wire/error-reason.ts';
import { FieldChecks } from '../wire/field-checks.ts';
import { parseIssueRequest } from '../wire/issue-request.ts';
import { sentPayloadsOf } from '../wire/sent-payloads.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { issueParsed } from './issuing.ts';

const REQUESTS_MAX = 500;

export function issueCommands(deps: CommandHandlerDependencies) {
  return async (
    request: IssueCommandsRequest,
    context: HandlerContext,
  ): Promise<Pick<IssueCommandsResponse, 'outcomes'>> => {
    const { accountId } = callerOf(context);
    checkEnvelope(request);
    const nowMs = deps.clock.nowMs();
    const payloads = sentPayloadsOf(request);
    const parsed = request.requests.map((one, i) => parseIssueRequest(one, nowMs, payloads[i]));
    const outcomes = await issueParsed(deps, accountId, parsed);
    if (request.brief) return new BriefOutcomes(outcomes);
    const executorIds = outcomes.flatMap((outcome) => (outcome.type === 'issued' ? [outcome.command.executorId] : []));
    const names = await deps.directory.names(accountId, executorIds);
    return { outcomes: outcomes.map((outcome) => outcomeToProto(outcome, names)) };
  };
}

/** What is wrong inside one request is that request's outcome; only the envelope can fail the whole call. */
function checkEnvelope(request: IssueCommandsRequest): void {
  const checks = new FieldChecks(ownUnknownFields(IssueCommandsRequestSchema, request));
  const count = request.requests.length;
  if (count < 1 || count > REQUESTS_MAX) checks.add('requests', `must have 1 to ${REQUESTS_MAX} entries, has ${count}`);
  checks.throwIfAny();
}

function outcomeToProto(
  outcome: IssueOutcome,
  executorNames: ReadonlyMap<string, string>,
): IssueCommandsResponse_Outcome {
  if (outcome.type === 'issued') {
    const { command, already: alreadyIssued } = outcome;
    const value = { command: commandToProto(command, executorNames.get(command.executorId) ?? ''), alreadyIssued };
    return create(IssueCommandsResponse_OutcomeSchema, { outcome: { case: 'issued', value } });
  }
  const { error } = outcome;
  const value = { reason: reasonNumber(error.reason), message: error.message, code: Code[error.code] };
  return create(IssueCommandsResponse_OutcomeSchema, { outcome: { case: 'error', value } });
}
