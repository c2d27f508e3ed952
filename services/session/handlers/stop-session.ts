import type { HandlerContext } from '@connectrpc/connect';
import {
  type StopSessionRequest,
  StopSessionRequestSchema,
  type StopSessionResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { stopSession as stop } from '../domain/stopping.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { readSession } from './reading.ts';
import { waitFor } from './waiting.ts';

/** An executor that is there confirms within this; what takes longer is STOPPING, and goes on without the call. */
const CONFIRM_MS_MAX = 2_000;

export function stopSession(deps: SessionHandlerDependencies) {
  return async (
    request: StopSessionRequest,
    context: HandlerContext,
  ): Promise<Pick<StopSessionResponse, 'session'>> => {
    const { accountId, subject } = callerOf(context);
    const checks = checksOf(StopSessionRequestSchema, request);
    checks.id('id', request.id);
    checks.throwIfAny();
    const { session } = await readSession(deps.reader, accountId, request.id);
    await deps.book.change(session.id, (draft) => stop(draft, request.closePositions, `stopped by ${subject}`));
    const call = { signal: context.signal, limitMs: CONFIRM_MS_MAX };
    const view = await waitFor(deps, session.id, call, async () => {
      const seen = await readSession(deps.reader, accountId, session.id);
      return { seen, done: seen.session.state !== 'STOPPING' };
    });
    return { session: sessionToProto(view) };
  };
}
