import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListStrategiesRequest,
  ListStrategiesRequestSchema,
  type ListStrategiesResponse,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { strategyToProto } from '../wire/change-to-proto.ts';
import { decodePage, encodePage } from '../wire/page-token.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { fitting } from './page-bytes.ts';

export function listStrategies({ book }: StrategyHandlerDependencies) {
  return async (
    request: ListStrategiesRequest,
    context: HandlerContext,
  ): Promise<Pick<ListStrategiesResponse, 'strategies' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListStrategiesRequestSchema, request);
    const pageSize = checks.pageSize(request.pageSize);
    checks.throwIfAny();
    const scope = ['ListStrategies', accountId];
    const afterName = request.pageToken === '' ? '' : decodePage(scope, request.pageToken);
    // One more than the page holds tells whether there is another.
    const found = await book.list(accountId, afterName, pageSize + 1);
    const shown = fitting(found.slice(0, pageSize), ({ revision }) => revision);
    const last = found.length > shown.length ? shown.at(-1) : undefined;
    return {
      strategies: shown.map(({ revision }) => strategyToProto(revision)),
      nextPageToken: last === undefined ? '' : encodePage(scope, last.name),
    };
  };
}
