import { type DescField, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { CommandDeliverySchema } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { IssueCommandRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Command } from '../../services/command/domain/command.ts';
import { issue } from '../../services/command/domain/issue.ts';
import { transition } from '../../services/command/domain/transition.ts';
import { sentOn } from '../../services/command/link/live-command.ts';
import { orderOf, parseIssueRequest } from '../../services/command/wire/issue-request.ts';
import { sampleMessage } from '../../test/conformance/sample-request.ts';
import { SAMPLE, sampleId, sampleOf } from './sample-values.ts';

/** Fields that hold kinds, by the descriptor. */
export const KIND_FIELDS: readonly DescField[] = CommandDeliverySchema.oneofs[0]?.fields ?? [];

/** The kind that every agent executes. */
export const PING: DescField = CommandDeliverySchema.field.ping;

/** The body with which an operator issues a command of that kind: every field set that the kind can have. */
function issueBody(kind: DescField): JsonObject {
  const chosen = IssueCommandRequestSchema.fields.find((field) => field.name === kind.name);
  if (chosen === undefined) throw new Error(`IssueCommandRequest has no case ${kind.name}`);
  const sample = sampleMessage(IssueCommandRequestSchema, sampleOf, chosen);
  const { preconditions, ...body } = sample;
  const names = new Set(kind.message?.fields.map((field) => field.name));
  // What a command does not name cannot be asked to hold.
  if (!names.has('session_id') || !names.has('symbol')) return body;
  return { ...body, ...(preconditions === undefined ? {} : { preconditions }) };
}

/**
 * A command of that kind on its way to the agent, made by what production makes one with: the check of the request, the domain's
 * `issue`, and the transition to SENT.
 */
export function sentCommand(kind: DescField): Command {
  const request = fromJson(IssueCommandRequestSchema, issueBody(kind));
  const parsed = parseIssueRequest(request, SAMPLE.nowMs);
  if (parsed.type === 'refused')
    throw new Error(`the sample of ${kind.name} is refused: ${JSON.stringify(parsed.violations)}`);
  const { executorId, accountId } = SAMPLE;
  const issued = issue(orderOf(parsed.wish, { id: sampleId(kind.number), accountId, executorId }), SAMPLE.nowMs);
  const stored = { ...issued.command, sequence: kind.number };
  const sent = transition(stored, sentOn({ epoch: SAMPLE.epoch, journalId: SAMPLE.journalId }), SAMPLE.nowMs);
  if (sent === null) throw new Error(`a new command of kind ${kind.name} cannot be sent`);
  return sent.command;
}
