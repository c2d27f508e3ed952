import type { HandlerContext } from '@connectrpc/connect';
import { SessionState, SessionStateSchema } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import {
  type ListSessionsRequest,
  ListSessionsRequestSchema,
  type ListSessionsResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { SessionState as StateName } from '../domain/session-state.ts';
import { STEPS } from '../domain/session-state.ts';
import { checksOf } from '../wire/field-checks.ts';
import { decodePosition, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';

const STATES_MAX = SessionStateSchema.values.length;
const ID_FORM = /^[0-9a-f-]{36}$/;

export function listSessions({ reader, upstream }: SessionHandlerDependencies) {
  return async (
    request: ListSessionsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListSessionsResponse, 'sessions' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListSessionsRequestSchema, request);
    if (request.states.length > STATES_MAX) {
      checks.add('states', `must have at most ${STATES_MAX} entries, has ${request.states.length}`);
    }
    request.states
      .slice(0, STATES_MAX)
      .forEach((state, index) => checks.enumeration(`states[${index}]`, SessionStateSchema, state, true));
    checks.text('executor', request.executor);
    const size = checks.pageSize(request.pageSize);
    checks.throwIfAny();
    const states = request.states.map(stateName);
    const executorId =
      request.executor === ''
        ? undefined
        : (await upstream.executors.getExecutor({ executor: request.executor }, upstream.as(accountId))).executor?.id;
    const scope: PositionScope = {
      field: 'page_token',
      bound: ['ListSessions', accountId, states, executorId ?? null],
    };
    const below = request.pageToken === '' ? undefined : decodePosition(scope, request.pageToken, ID_FORM);
    const views = await reader.list(accountId, { states, executorId }, { below, max: size + 1 });
    const page = views.slice(0, size);
    const last = page.at(-1);
    return {
      sessions: page.map(sessionToProto),
      nextPageToken: views.length > size && last !== undefined ? encodePosition(scope, last.session.id) : '',
    };
  };
}

/** Names are the same on the wire and here; unknown ones were refused before. */
function stateName(state: SessionState): StateName {
  const name = SessionState[state];
  return Object.keys(STEPS).find((known): known is StateName => known === name) ?? 'STARTING';
}
