import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetSessionRequest,
  GetSessionRequestSchema,
  type GetSessionResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { readSession } from './reading.ts';

export function getSession({ reader }: SessionHandlerDependencies) {
  return async (request: GetSessionRequest, context: HandlerContext): Promise<Pick<GetSessionResponse, 'session'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetSessionRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    return { session: sessionToProto(await readSession(reader, accountId, request.id)) };
  };
}
