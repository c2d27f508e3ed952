import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListPositionsRequest,
  ListPositionsRequestSchema,
  type ListPositionsResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { decodePosition, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { positionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { readSession } from './reading.ts';

/** Open ones come first, so a place says in which part of the list it is. */
const PLACE_FORM = /^(?:open|closed):\d{1,16}\/.{1,128}$/;

export function listPositions({ reader }: SessionHandlerDependencies) {
  return async (
    request: ListPositionsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListPositionsResponse, 'positions' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListPositionsRequestSchema, request);
    checks.id('session_id', request.sessionId, false);
    const size = checks.pageSize(request.pageSize);
    checks.throwIfAny();
    const sessionId =
      request.sessionId === '' ? undefined : (await readSession(reader, accountId, request.sessionId)).session.id;
    const { openOnly } = request;
    const bound = ['ListPositions', accountId, sessionId ?? null, openOnly];
    const scope: PositionScope = { field: 'page_token', bound };
    const below = request.pageToken === '' ? undefined : decodePosition(scope, request.pageToken, PLACE_FORM);
    const found = await reader.positions(accountId, { sessionId, openOnly }, { below, max: size + 1 });
    const page = found.slice(0, size);
    const last = page.at(-1);
    const more = found.length > size && last !== undefined;
    const place = more ? `${last.state === 'CLOSED' ? 'closed' : 'open'}:${last.createTimeMs}/${last.id}` : '';
    return { positions: page.map(positionToProto), nextPageToken: more ? encodePosition(scope, place) : '' };
  };
}
