import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchIndicatorsRequest,
  WatchIndicatorsRequestSchema,
  type WatchIndicatorsResponse,
  WatchIndicatorsResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { parseInterests } from '../wire/cursors.ts';
import { updateToProto } from '../wire/event-to-proto.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';
import { follow } from './watching.ts';

export function watchIndicators({ markets, clock }: MarketHandlerDependencies) {
  return async function* (
    request: WatchIndicatorsRequest,
    context: HandlerContext,
  ): AsyncGenerator<WatchIndicatorsResponse> {
    const { accountId } = callerOf(context);
    const checks = checksOf(WatchIndicatorsRequestSchema, request);
    const watches = parseInterests(request.interests, checks);
    checks.throwIfAny();
    const hold = (symbol: string) => markets.holdForWatch(accountId, symbol);
    const following = { hold, clock, checkpoints: request.checkpoints };
    for await (const { items, freshness, missedSymbols } of follow(watches, following, context.signal)) {
      yield create(WatchIndicatorsResponseSchema, {
        updates: items.map(({ symbol, item }) => updateToProto(symbol, item.event, item.values)),
        freshness,
        missedSymbols,
      });
    }
  };
}
