import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListStrategyUsesRequest,
  ListStrategyUsesRequestSchema,
  type ListStrategyUsesResponse,
  StrategyUseSchema,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { timestampOf } from '../wire/time.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';

export function listStrategyUses({ reader }: SessionHandlerDependencies) {
  return async (
    request: ListStrategyUsesRequest,
    context: HandlerContext,
  ): Promise<Pick<ListStrategyUsesResponse, 'uses'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListStrategyUsesRequestSchema, request);
    checks.text('strategy_id', request.strategyId, true);
    checks.throwIfAny();
    const uses = Map.groupBy(await reader.uses(accountId, request.strategyId), ({ sessionId }) => sessionId);
    return {
      uses: [...uses].map(([sessionId, activations]) =>
        create(StrategyUseSchema, {
          sessionId,
          symbols: activations.map(({ symbol }) => symbol),
          activateTime: timestampOf(Math.min(...activations.map(({ createTimeMs }) => createTimeMs))),
        }),
      ),
    };
  };
}
