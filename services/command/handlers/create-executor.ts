import type { HandlerContext } from '@connectrpc/connect';
import { v7 as uuidv7 } from 'uuid';
import {
  type CreateExecutorRequest,
  CreateExecutorRequestSchema,
  type CreateExecutorResponse,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { newCredential } from '../domain/credential.ts';
import { EXECUTOR_NAME_PATTERN, isId } from '../domain/executor.ts';
import { credentialsToProto } from '../wire/executor-to-proto.ts';
import type { FieldChecks } from '../wire/field-checks.ts';
import { checkLabels, checksOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';
import { presentExecutor } from './executors.ts';

export function createExecutor({ book, addresses, executorChanged }: ExecutorHandlerDependencies) {
  return async (
    request: CreateExecutorRequest,
    context: HandlerContext,
  ): Promise<Pick<CreateExecutorResponse, 'executor' | 'credentials'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(CreateExecutorRequestSchema, request);
    checkName(request.name, checks);
    checkLabels(request.labels, checks);
    checks.throwIfAny();
    const { name, labels } = request;
    const id = uuidv7();
    const credential = newCredential();
    if (!(await book.create({ id, accountId, name, labels, credential }))) {
      throw new StatusError('AlreadyExists', 'NAME_TAKEN', `an executor named "${name}" exists; take another name`, {
        metadata: { resource: 'executor', name },
      });
    }
    executorChanged(accountId, id);
    return {
      executor: await presentExecutor(book, accountId, id),
      credentials: credentialsToProto({ id, name, accountId }, credential, addresses),
    };
  };
}

function checkName(name: string, checks: FieldChecks): void {
  if (name === '') checks.add('name', 'is required');
  else if (!EXECUTOR_NAME_PATTERN.test(name)) {
    checks.add('name', `must be 1 to 63 of a–z, 0–9, '-', '_', '.'`);
  } else if (isId(name)) checks.add('name', 'must not look like an id');
}
