import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetHaltRequest,
  GetHaltRequestSchema,
  type GetHaltResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { notFound } from '../../platform/errors.ts';
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
    if (view === undefined) throw notFound('halt', request.id === '' ? 'newest' : request.id);
    return { halt: await presentHalt(deps, view) };
  };
}
