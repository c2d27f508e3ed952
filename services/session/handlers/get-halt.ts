import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetHaltRequest,
  GetHaltRequestSchema,
  type GetHaltResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { notFound, StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { presentHalt } from './halts.ts';

export function getHalt(deps: SessionHandlerDependencies) {
  return async (request: GetHaltRequest, context: HandlerContext): Promise<Pick<GetHaltResponse, 'halt'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetHaltRequestSchema, request);
    checks.id('id', request.id, false);
    checks.throwIfAny();
    const view = await deps.halts.get(accountId, request.id === '' ? undefined : request.id);
    if (view === undefined) throw request.id === '' ? neverUsed() : notFound('halt', request.id);
    return { halt: await presentHalt(deps, view) };
  };
}

function neverUsed(): StatusError {
  return new StatusError('NotFound', 'RESOURCE_NOT_FOUND', 'the kill switch was never used in this account', {
    metadata: { resource: 'halt', name: '' },
  });
}
