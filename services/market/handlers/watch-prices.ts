import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchPricesRequest,
  WatchPricesRequestSchema,
  type WatchPricesResponse,
  WatchPricesResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { unavailable } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { parseCursors } from '../wire/cursors.ts';
import { eventToProto } from '../wire/event-to-proto.ts';
import { checksOf } from '../wire/field-checks.ts';
import { type MarketHandlerDependencies, MIRROR_HEADER } from './dependencies.ts';
import { follow } from './watching.ts';

export function watchPrices({ markets, sources, clock }: MarketHandlerDependencies) {
  return async function* (request: WatchPricesRequest, context: HandlerContext): AsyncGenerator<WatchPricesResponse> {
    const { accountId } = callerOf(context);
    const checks = checksOf(WatchPricesRequestSchema, request);
    const watches = parseCursors(request.symbols, checks);
    checks.throwIfAny();
    const mirrored = context.requestHeader.has(MIRROR_HEADER);
    const hold = (symbol: string) => {
      if (!mirrored) return markets.holdForWatch(accountId, symbol);
      if (!sources.runs(accountId, symbol)) throw unavailable('market', `${symbol} is fed by another replica by now`);
      return markets.holdForSource(accountId, symbol);
    };
    const following = { hold, clock, checkpoints: request.checkpoints };
    for await (const { items, freshness, missedSymbols } of follow(watches, following, context.signal)) {
      yield create(WatchPricesResponseSchema, {
        events: items.map(({ symbol, item }) => eventToProto(symbol, item.event)),
        freshness,
        missedSymbols,
      });
    }
  };
}
