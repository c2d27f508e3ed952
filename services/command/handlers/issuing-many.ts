import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import {
  type IssueCommandsRequest,
  type IssueCommandsResponse,
  type IssueCommandsResponse_Outcome,
  IssueCommandsResponse_OutcomeSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { IssueOutcome } from '../domain/command-desk.ts';
import { BriefOutcomes } from '../wire/brief-outcomes.ts';
import { commandToProto } from '../wire/command-to-proto.ts';
import { reasonNumber } from '../wire/error-reason.ts';
import type { FieldChecks } from '../wire/field-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';

/** Of one request. */
export const COMMANDS_MAX = 500;

/**
 * What is wrong inside one command is that command's outcome; only the envelope can fail the whole request.
 * @throws StatusError INVALID_ARGUMENT.
 */
export function checkEnvelope({ requests }: Pick<IssueCommandsRequest, 'requests'>, checks: FieldChecks): void {
  const count = requests.length;
  if (count < 1 || count > COMMANDS_MAX) checks.add('requests', `must have 1 to ${COMMANDS_MAX} entries, has ${count}`);
  checks.throwIfAny();
}

/** One outcome a command, in order. */
export async function presentOutcomes(
  { directory }: Pick<CommandHandlerDependencies, 'directory'>,
  accountId: string,
  outcomes: readonly IssueOutcome[],
  { brief }: Pick<IssueCommandsRequest, 'brief'>,
): Promise<Pick<IssueCommandsResponse, 'outcomes'>> {
  if (brief) return new BriefOutcomes(outcomes);
  const executorIds = outcomes.flatMap((outcome) => (outcome.type === 'issued' ? [outcome.command.executorId] : []));
  const names = await directory.names(accountId, executorIds);
  return { outcomes: outcomes.map((outcome) => outcomeToProto(outcome, names)) };
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
