import type { HandlerContext } from '@connectrpc/connect';
import {
  type ResumeSessionRequest,
  ResumeSessionRequestSchema,
  type ResumeSessionResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { setPaused } from '../domain/pausing.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { illegalState, readSession } from './reading.ts';

export function resumeSession({ book, reader }: SessionHandlerDependencies) {
  return async (
    request: ResumeSessionRequest,
    context: HandlerContext,
  ): Promise<Pick<ResumeSessionResponse, 'session'>> => {
    const { accountId, subject } = callerOf(context);
    const checks = checksOf(ResumeSessionRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    const { session } = await readSession(reader, accountId, request.id);
    const done = await book.change(session.id, (draft) => setPaused(draft, false, subject));
    if (done !== true) throw illegalState(session.id, session.state, 'only one that is PAUSED can be resumed');
    return { session: sessionToProto(await readSession(reader, accountId, session.id)) };
  };
}
