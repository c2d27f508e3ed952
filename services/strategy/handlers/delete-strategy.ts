import type { HandlerContext } from '@connectrpc/connect';
import {
  type DeleteStrategyRequest,
  DeleteStrategyRequestSchema,
  type DeleteStrategyResponse,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { strategyToProto } from '../wire/change-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { askerOf, strategyIdOf } from './naming.ts';
import { revisionOf } from './outcome.ts';

/** More are counted, not named: an error is a few lines. */
const SESSIONS_NAMED_MAX = 10;

export function deleteStrategy({ desk, book, uses }: StrategyHandlerDependencies) {
  return async (
    request: DeleteStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<DeleteStrategyResponse, 'strategy'>> => {
    const { accountId, subject } = callerOf(context);
    const checks = checksOf(DeleteStrategyRequestSchema, request);
    const { strategy, force } = request;
    checks.text('strategy', strategy, { required: true });
    checks.throwIfAny();
    const id = await strategyIdOf(book, accountId, strategy);
    if (!force) {
      const sessionIds = await uses.sessionIds(askerOf(context), id);
      if (sessionIds.length > 0) throw inUse(strategy, sessionIds);
    }
    const outcome = await desk.delete(accountId, id, subject);
    return { strategy: strategyToProto(revisionOf(outcome, { strategy })) };
  };
}

function inUse(strategy: string, sessionIds: readonly string[]): StatusError {
  const named = sessionIds.slice(0, SESSIONS_NAMED_MAX).join(', ');
  const rest = sessionIds.length - SESSIONS_NAMED_MAX;
  const sessions = rest > 0 ? `${named} and ${rest} more` : named;
  return new StatusError(
    'FailedPrecondition',
    'STRATEGY_IN_USE',
    `"${strategy}" is used by ${sessionIds.length === 1 ? 'session' : 'sessions'} ${sessions}; stop them, or force it: then they go on with the revision that they run`,
    { metadata: { strategy, sessions: sessionIds.slice(0, SESSIONS_NAMED_MAX).join(',') } },
  );
}
