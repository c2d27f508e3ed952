import type { HandlerContext } from '@connectrpc/connect';
import {
  type PauseInstancesRequest,
  PauseInstancesRequestSchema,
  type PauseInstancesResponse,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';
import { checkInstanceIds, presentInstances } from './instances-by-id.ts';

export function pauseInstances({ book, wanted }: EvaluatorHandlerDependencies) {
  return async (
    request: PauseInstancesRequest,
    context: HandlerContext,
  ): Promise<Pick<PauseInstancesResponse, 'instances'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(PauseInstancesRequestSchema, request);
    checkInstanceIds(request.instanceIds, checks);
    checks.throwIfAny();
    await presentInstances(book, accountId, request.instanceIds);
    await book.pause(accountId, request.instanceIds, request.paused);
    wanted.ring(accountId);
    return { instances: await presentInstances(book, accountId, request.instanceIds) };
  };
}
