import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type StopSourceRequest,
  StopSourceRequestSchema,
  type StopSourceResponse,
  StopSourceResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { normaliseSymbol } from '../domain/symbol.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sourceToProto } from '../wire/source-to-proto.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';

export function stopSource({ sources, freshness, clock }: MarketHandlerDependencies) {
  return async (request: StopSourceRequest, context: HandlerContext): Promise<StopSourceResponse> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(StopSourceRequestSchema, request);
    if (request.source === '') checks.add('source', 'is required: the id of a source, or the symbol that it feeds');
    else if (normaliseSymbol(request.source) === undefined) checks.add('source', 'is neither an id nor a symbol');
    checks.throwIfAny();
    const source = await sources.stopSource(accountId, request.source);
    return create(StopSourceResponseSchema, { source: sourceToProto(source, freshness, clock.nowMs()) });
  };
}
