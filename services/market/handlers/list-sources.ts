import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListSourcesRequest,
  ListSourcesRequestSchema,
  type ListSourcesResponse,
  ListSourcesResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sourceToProto } from '../wire/source-to-proto.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';

const SOURCES_MAX = 1_000;

export function listSources({ book, freshness, clock }: MarketHandlerDependencies) {
  return async (request: ListSourcesRequest, context: HandlerContext): Promise<ListSourcesResponse> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListSourcesRequestSchema, request);
    const symbol = request.symbol === '' ? '' : checks.symbol('symbol', request.symbol);
    checks.throwIfAny();
    const filter = { symbol, runningOnly: request.runningOnly, sourcesMax: SOURCES_MAX };
    const found = await book.list(accountId, filter);
    const nowMs = clock.nowMs();
    return create(ListSourcesResponseSchema, {
      sources: found.map((source) => sourceToProto(source, freshness, nowMs)),
    });
  };
}
