import type { HandlerContext } from '@connectrpc/connect';
import {
  type RetryCommandRequest,
  RetryCommandRequestSchema,
  type RetryCommandResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { type Command, isTerminal } from '../domain/command.ts';
import { newCommandId } from '../domain/command-id.ts';
import type { IssueOrder } from '../domain/issue.ts';
import { isKind } from '../domain/kind.ts';
import { checkRequestId, orderOf, spansOf } from '../wire/issue-request.ts';
import { payloadDefect } from '../wire/payload.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { commandOf, illegalState, repeatedCommand } from './issuing.ts';
import { presentCommand, readCommand } from './presenting.ts';

export function retryCommand({ reader, desk, directory, clock }: CommandHandlerDependencies) {
  return async (
    request: RetryCommandRequest,
    context: HandlerContext,
  ): Promise<Pick<RetryCommandResponse, 'command'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(RetryCommandRequestSchema, request);
    checks.id('id', request.id);
    checkRequestId(request.requestId, checks);
    // The spans are looked at before the command is known, so that everything malformed is told at once.
    spansOf(request.deadlines, undefined, checks.within('deadlines'));
    checks.throwIfAny();
    const old = await readCommand(reader, accountId, request.id);
    const order = retryOrder(old, request);
    const refusal = refusalOf(old, clock.nowMs());
    if (refusal !== undefined) {
      const repeated = await repeatedCommand({ reader }, order);
      if (repeated === undefined) throw refusal;
      return { command: await presentCommand(directory, repeated) };
    }
    const [outcome] = await desk.issue([order]);
    return { command: await presentCommand(directory, commandOf(outcome).command) };
  };
}

/** Everything as it was asked the first time, but for the deadlines, which the request or the kind gives anew. */
function retryOrder(old: Command, request: RetryCommandRequest): IssueOrder {
  const defect = payloadDefect(old.kind, old.parameters);
  if (defect !== undefined || !isKind(old.kind)) {
    throw new StatusError('FailedPrecondition', 'QUARANTINED', `command ${old.id} cannot be repeated: ${defect}`, {
      metadata: { defect: defect ?? '' },
    });
  }
  const { kind } = old;
  const checks = checksOf(RetryCommandRequestSchema, request);
  const spans = spansOf(request.deadlines, kind, checks.within('deadlines'));
  checks.throwIfAny();
  const wish = {
    executor: old.executorId,
    kind,
    parameters: old.parameters,
    orderingKey: old.orderingKey,
    requestId: request.requestId === '' ? null : request.requestId,
    retryOf: old.id,
    preconditions: old.preconditions,
    lane: old.lane,
    attemptsMax: old.attemptsMax,
    notAfterMs: old.deadlines.notAfterMs,
    spans,
  };
  return orderOf(wish, { id: newCommandId(), accountId: old.accountId, executorId: old.executorId });
}

function refusalOf(old: Command, nowMs: number): StatusError | undefined {
  if (!isTerminal(old.state)) return illegalState(old, 'it has not ended yet; cancel it first or wait for its end');
  if (old.state === 'SUCCEEDED') return illegalState(old, 'only a command that did not succeed can be repeated');
  const { notAfterMs } = old.deadlines;
  if (notAfterMs === null || notAfterMs > nowMs) return undefined;
  const when = new Date(notAfterMs).toISOString();
  return new StatusError(
    'FailedPrecondition',
    'NOT_AFTER',
    `command ${old.id} was not to start after ${when}; issue a new one`,
    {
      metadata: { not_after: when },
    },
  );
}
