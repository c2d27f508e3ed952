import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListSignalsRequest,
  ListSignalsRequestSchema,
  type ListSignalsResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { decodePosition, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { signalToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { readSession } from './reading.ts';

const PLACE_FORM = /^\d{1,16}\/.{1,128}$/;

export function listSignals({ reader }: SessionHandlerDependencies) {
  return async (
    request: ListSignalsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListSignalsResponse, 'signals' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListSignalsRequestSchema, request);
    checks.id('session_id', request.sessionId, false);
    const size = checks.pageSize(request.pageSize);
    checks.throwIfAny();
    const sessionId =
      request.sessionId === '' ? undefined : (await readSession(reader, accountId, request.sessionId)).session.id;
    const scope: PositionScope = { field: 'page_token', bound: ['ListSignals', accountId, sessionId ?? null] };
    const below = request.pageToken === '' ? undefined : decodePosition(scope, request.pageToken, PLACE_FORM);
    const found = await reader.signals(accountId, sessionId, { below, max: size + 1 });
    const page = found.slice(0, size);
    const last = page.at(-1);
    return {
      signals: page.map(signalToProto),
      nextPageToken:
        found.length > size && last !== undefined ? encodePosition(scope, `${last.createTimeMs}/${last.id}`) : '',
    };
  };
}
