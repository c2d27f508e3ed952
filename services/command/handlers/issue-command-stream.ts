import type { HandlerContext } from '@connectrpc/connect';
import {
  type IssueCommandStreamRequest,
  IssueCommandStreamRequestSchema,
  type IssueCommandStreamResponse,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { ownUnknownFields } from '../../platform/grpc/parse.ts';
import { requestQueue } from '../../platform/grpc/request-reader.ts';
import { FieldChecks } from '../wire/field-checks.ts';
import { parseIssueRequest } from '../wire/issue-request.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';
import { issueParsed } from './issuing.ts';
import { checkEnvelope, presentOutcomes } from './issuing-many.ts';

type Answer = Pick<IssueCommandStreamResponse, 'outcomes'>;

/** Requests that came while those before them were stored are stored together. */
const REQUESTS_AT_ONCE_MAX = 16;

export function issueCommandStream(deps: CommandHandlerDependencies) {
  return async function* (
    requests: AsyncIterable<IssueCommandStreamRequest>,
    context: HandlerContext,
  ): AsyncGenerator<Answer> {
    const { accountId } = callerOf(context);
    const { signal } = context;
    const queue = requestQueue(requests);
    // Of a replica that stops, what waits here is another's: it is unanswered, and will be asked again.
    while (!signal.aborted && (await queue.readable(signal))) {
      yield* answers(deps, accountId, queue.drain(REQUESTS_AT_ONCE_MAX));
    }
    signal.throwIfAborted();
  };
}

async function* answers(
  deps: CommandHandlerDependencies,
  accountId: string,
  requests: readonly IssueCommandStreamRequest[],
): AsyncGenerator<Answer> {
  const { sound, error } = checked(requests);
  const nowMs = deps.clock.nowMs();
  const parsed = sound.flatMap((request) => request.requests.map((one) => parseIssueRequest(one, nowMs)));
  const outcomes = await issueParsed(deps, accountId, parsed);
  let from = 0;
  for (const request of sound) {
    const to = from + request.requests.length;
    yield await presentOutcomes(deps, accountId, outcomes.slice(from, to), request);
    from = to;
  }
  if (error !== undefined) throw error;
}

/** The requests before the first that cannot be answered, and why that one cannot. */
function checked(requests: readonly IssueCommandStreamRequest[]): {
  readonly sound: readonly IssueCommandStreamRequest[];
  readonly error: unknown;
} {
  const sound: IssueCommandStreamRequest[] = [];
  for (const request of requests) {
    try {
      checkEnvelope(request, new FieldChecks(ownUnknownFields(IssueCommandStreamRequestSchema, request)));
    } catch (error) {
      return { sound, error };
    }
    sound.push(request);
  }
  return { sound, error: undefined };
}
