import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchTransitionsRequest,
  WatchTransitionsRequestSchema,
  type WatchTransitionsResponse,
  WatchTransitionsResponseSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { EvaluationFilter } from '../domain/instance-book.ts';
import { evaluationToProto } from '../wire/evaluation-to-proto.ts';
import { checksOf } from '../wire/field-checks.ts';
import { decodeNumber, encodePosition, invalidPosition, type PositionScope } from '../wire/position-token.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';
import { keepingUp } from '../../platform/grpc/keeping-up.ts';
import { createWaker } from '../../platform/waker.ts';

const EVALUATIONS_PER_PAGE = 500;
/** Without a ring, evaluations are looked for this often. */
const POLL_MS = 1_000;
/** A watcher that sees nothing learns how far it has come after this and one more look: within 5 s. */
const CHECKPOINT_MS = 4_000;

interface Watch {
  readonly accountId: string;
  readonly scope: PositionScope;
  readonly startNumber: number;
  readonly filter: EvaluationFilter;
}

export function watchTransitions(deps: EvaluatorHandlerDependencies) {
  return async function* (
    request: WatchTransitionsRequest,
    context: HandlerContext,
  ): AsyncGenerator<WatchTransitionsResponse> {
    const watch = await open(deps, request, callerOf(context).accountId);
    yield* keepingUp(evaluations(deps, watch, context.signal), deps.clock, 'resume from the last cursor');
  };
}

async function open(
  { reader }: EvaluatorHandlerDependencies,
  request: WatchTransitionsRequest,
  accountId: string,
): Promise<Watch> {
  const checks = checksOf(WatchTransitionsRequestSchema, request);
  checks.text('session_id', request.sessionId);
  checks.text('instance_id', request.instanceId);
  checks.throwIfAny();
  const { sessionId, instanceId } = request;
  const scope: PositionScope = { field: 'cursor', bound: ['WatchTransitions', accountId] };
  const { newest, removed } = await reader.range(accountId);
  const fresh = request.fromStart ? removed : newest;
  const startNumber = request.cursor === '' ? fresh : decodeNumber(scope, request.cursor);
  if (startNumber > newest) throw invalidPosition(scope, 'is ahead of everything that has happened');
  if (startNumber < removed) throw tooOld(removed);
  return { accountId, scope, startNumber, filter: { sessionId, instanceId } };
}

async function* evaluations(
  { reader, clock, evaluations: bell }: EvaluatorHandlerDependencies,
  watch: Watch,
  signal: AbortSignal,
): AsyncGenerator<WatchTransitionsResponse> {
  const { accountId, scope, filter } = watch;
  const waker = createWaker((ring) => bell.on(accountId, ring), signal, clock);
  try {
    let number = watch.startNumber;
    yield checkpoint(watch, number);
    let toldMs = clock.steadyMs();
    while (!signal.aborted) {
      const page = await reader.after(accountId, number, filter, EVALUATIONS_PER_PAGE);
      // Retention may have passed a reader that rested for long; a gap is never passed over in silence.
      if (page.removedNumber > number) throw tooOld(page.removedNumber);
      for (const evaluation of page.evaluations) {
        const cursor = encodePosition(scope, String(evaluation.number));
        yield create(WatchTransitionsResponseSchema, { cursor, evaluation: evaluationToProto(evaluation) });
        toldMs = clock.steadyMs();
      }
      number = page.throughNumber;
      if (clock.steadyMs() - toldMs >= CHECKPOINT_MS) {
        yield checkpoint(watch, number);
        toldMs = clock.steadyMs();
      }
      if (!page.more) await waker.wait(POLL_MS);
    }
  } finally {
    waker.stop();
  }
}

function checkpoint({ scope }: Watch, number: number): WatchTransitionsResponse {
  return create(WatchTransitionsResponseSchema, { cursor: encodePosition(scope, String(number)) });
}

function tooOld(removed: number): StatusError {
  return new StatusError(
    'OutOfRange',
    'CURSOR_TOO_OLD',
    'the evaluations up to this cursor are no longer kept; list the instances, then watch without a cursor',
    { metadata: { oldest: String(removed + 1) } },
  );
}
