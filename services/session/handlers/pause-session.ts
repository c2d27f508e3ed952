import type { HandlerContext } from '@connectrpc/connect';
import {
  type PauseSessionRequest,
  PauseSessionRequestSchema,
  type PauseSessionResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { setPaused } from '../domain/pausing.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { illegalState, readSession } from './reading.ts';

export function pauseSession({ book, reader }: SessionHandlerDependencies) {
  return async (
    request: PauseSessionRequest,
    context: HandlerContext,
  ): Promise<Pick<PauseSessionResponse, 'session'>> => {
    const { accountId, subject } = callerOf(context);
    const checks = checksOf(PauseSessionRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    const { session } = await readSession(reader, accountId, request.id);
    const done = await book.change(session.id, (draft) => setPaused(draft, true, subject));
    if (done !== true) throw illegalState(session.id, session.state, 'only one that is ACTIVE can be paused');
    return { session: sessionToProto(await readSession(reader, accountId, session.id)) };
  };
}
