import type { HandlerContext } from '@connectrpc/connect';
import {
  type DeactivateStrategyRequest,
  DeactivateStrategyRequestSchema,
  type DeactivateStrategyResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { deactivate } from '../domain/stopping.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { illegalState, readSession } from './reading.ts';

export function deactivateStrategy({ book, reader }: SessionHandlerDependencies) {
  return async (
    request: DeactivateStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<DeactivateStrategyResponse, 'session'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(DeactivateStrategyRequestSchema, request);
    checks.id('id', request.id);
    checks.text('strategy', request.strategy, true);
    const symbols = checks.symbols('symbols', request.symbols);
    checks.throwIfAny();
    const { session, activations } = await readSession(reader, accountId, request.id);
    if (session.state !== 'ACTIVE' && session.state !== 'PAUSED') {
      throw illegalState(session.id, session.state, 'strategies are taken out of a session that is ACTIVE or PAUSED');
    }
    const named = activations
      .filter(({ strategyId, strategyName }) => strategyId === request.strategy || strategyName === request.strategy)
      .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol));
    if (named.length === 0) throw notFound('activation', [request.strategy, ...request.symbols].join(' on '));
    const ids = named.map(({ instanceId }) => instanceId);
    await book.change(session.id, (draft) =>
      deactivate(
        draft,
        draft.activations.filter(({ instanceId }) => ids.includes(instanceId)),
        request.closePositions,
      ),
    );
    return { session: sessionToProto(await readSession(reader, accountId, session.id)) };
  };
}
