import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListInstancesRequest,
  ListInstancesRequestSchema,
  type ListInstancesResponse,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { instanceToProto } from '../wire/instance-to-proto.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';

const INSTANCES_MAX = 10_000;

export function listInstances({ book }: EvaluatorHandlerDependencies) {
  return async (
    request: ListInstancesRequest,
    context: HandlerContext,
  ): Promise<Pick<ListInstancesResponse, 'instances'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListInstancesRequestSchema, request);
    checks.text('session_id', request.sessionId);
    checks.text('strategy_id', request.strategyId);
    checks.throwIfAny();
    const { sessionId, strategyId, ended } = request;
    const instances = await book.list(accountId, { sessionId, strategyId, ended }, INSTANCES_MAX);
    return { instances: instances.map(instanceToProto) };
  };
}
