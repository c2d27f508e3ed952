import type { HandlerContext } from '@connectrpc/connect';
import {
  type DeactivateInstancesRequest,
  DeactivateInstancesRequestSchema,
  type DeactivateInstancesResponse,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';
import { checkInstanceIds, presentInstances } from './instances-by-id.ts';

export function deactivateInstances({ book, wanted }: EvaluatorHandlerDependencies) {
  return async (
    request: DeactivateInstancesRequest,
    context: HandlerContext,
  ): Promise<Pick<DeactivateInstancesResponse, 'instances'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(DeactivateInstancesRequestSchema, request);
    checkInstanceIds(request.instanceIds, checks);
    checks.throwIfAny();
    await presentInstances(book, accountId, request.instanceIds);
    if (request.whenFlat) await book.close(accountId, request.instanceIds);
    else await book.end(accountId, request.instanceIds);
    wanted.ring(accountId);
    return { instances: await presentInstances(book, accountId, request.instanceIds) };
  };
}
