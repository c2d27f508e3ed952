import type { HandlerContext } from '@connectrpc/connect';
import {
  type UpdateStrategyRequest,
  UpdateStrategyRequestSchema,
  type UpdateStrategyResponse,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { isId } from '../domain/read-definition.ts';
import { strategyToProto } from '../wire/change-to-proto.ts';
import { faultToProto } from '../wire/fault-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { soundDefinition } from './judging.ts';
import { askerOf, strategyIdOf } from './naming.ts';
import { revisionOf } from './outcome.ts';

export function updateStrategy({ desk, book, catalogue }: StrategyHandlerDependencies) {
  return async (
    request: UpdateStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<UpdateStrategyResponse, 'strategy' | 'warnings'>> => {
    const { accountId, subject: author } = callerOf(context);
    const checks = checksOf(UpdateStrategyRequestSchema, request);
    const { strategy, requestId } = request;
    checks.text('strategy', strategy, { required: true });
    checks.text('request_id', requestId);
    const fromRevision = checks.revision('revision', request.revision, { required: true });
    const { definition, warnings } = await soundDefinition(catalogue, askerOf(context), request.source, checks);
    // An id needs no look: what it names is read in the transaction of the change.
    const named = isId(strategy) ? strategy.toLowerCase() : strategy;
    // A name may have been left by the very update that is repeated.
    const earlier = isId(strategy) || requestId === '' ? undefined : await book.updatedBy(accountId, requestId);
    const id = isId(strategy) ? named : (earlier ?? (await strategyIdOf(book, accountId, strategy)));
    const keyed = requestId === '' ? undefined : { id: requestId, named };
    const outcome = await desk.update({ accountId, id, fromRevision, definition, author, request: keyed });
    const revision = revisionOf(outcome, { strategy, name: definition.strategyName, fromRevision, requestId });
    return { strategy: strategyToProto(revision), warnings: warnings.map(faultToProto) };
  };
}
