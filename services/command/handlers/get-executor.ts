import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetExecutorRequest,
  GetExecutorRequestSchema,
  type GetExecutorResponse,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';
import { presentExecutor } from './executors.ts';

export function getExecutor({ book, directory }: ExecutorHandlerDependencies) {
  return async (
    request: GetExecutorRequest,
    context: HandlerContext,
  ): Promise<Pick<GetExecutorResponse, 'executor'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetExecutorRequestSchema, request);
    checks.text('executor', request.executor, { required: true });
    checks.throwIfAny();
    const { id } = await directory.resolve(accountId, request.executor);
    return { executor: await presentExecutor(book, accountId, id) };
  };
}
