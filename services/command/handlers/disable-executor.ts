import type { HandlerContext } from '@connectrpc/connect';
import {
  type DisableExecutorRequest,
  DisableExecutorRequestSchema,
  type DisableExecutorResponse,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';
import { presentExecutor } from './executors.ts';

export function disableExecutor({ book, directory, executorChanged }: ExecutorHandlerDependencies) {
  return async (
    request: DisableExecutorRequest,
    context: HandlerContext,
  ): Promise<Pick<DisableExecutorResponse, 'executor'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(DisableExecutorRequestSchema, request);
    checks.text('executor', request.executor, { required: true });
    checks.throwIfAny();
    const { id } = await directory.resolve(accountId, request.executor);
    await book.disable(accountId, id);
    directory.invalidate(id);
    executorChanged(accountId, id);
    return { executor: await presentExecutor(book, accountId, id) };
  };
}
