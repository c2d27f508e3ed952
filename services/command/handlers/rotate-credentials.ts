import type { HandlerContext } from '@connectrpc/connect';
import {
  type RotateCredentialsRequest,
  RotateCredentialsRequestSchema,
  type RotateCredentialsResponse,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { newCredential } from '../domain/credential.ts';
import { credentialsToProto } from '../wire/executor-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';
import { presentExecutor } from './executors.ts';

const OVERLAP_MS_DEFAULT = 3_600_000;
const OVERLAP_MS_MAX = 30 * 24 * 3_600_000;

export function rotateCredentials(deps: ExecutorHandlerDependencies) {
  const { book, directory, addresses, executorChanged } = deps;
  return async (
    request: RotateCredentialsRequest,
    context: HandlerContext,
  ): Promise<Pick<RotateCredentialsResponse, 'executor' | 'credentials'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(RotateCredentialsRequestSchema, request);
    checks.text('executor', request.executor, { required: true });
    const overlapMs = checks.span('overlap', request.overlap, OVERLAP_MS_MAX) ?? OVERLAP_MS_DEFAULT;
    checks.throwIfAny();
    const { id, name } = await directory.resolve(accountId, request.executor);
    const credential = newCredential();
    if (!(await book.rotate(accountId, id, credential, overlapMs))) {
      throw new StatusError(
        'FailedPrecondition',
        'EXECUTOR_DISABLED',
        `executor "${name}" is disabled; create another one`,
        {
          metadata: { executor: name },
        },
      );
    }
    directory.invalidate(id);
    executorChanged(accountId, id);
    return {
      executor: await presentExecutor(book, accountId, id),
      credentials: credentialsToProto({ id, name, accountId }, credential, addresses),
    };
  };
}
