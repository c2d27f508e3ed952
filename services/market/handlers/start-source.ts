import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { v7 as uuidv7 } from 'uuid';
import {
  type StartSourceRequest,
  StartSourceRequestSchema,
  type StartSourceResponse,
  StartSourceResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { notFound, StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { parseKind } from '../wire/source-kind.ts';
import { sourceToProto } from '../wire/source-to-proto.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';

export function startSource({ datasets, sources, exchanges, freshness, clock }: MarketHandlerDependencies) {
  return async (request: StartSourceRequest, context: HandlerContext): Promise<StartSourceResponse> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(StartSourceRequestSchema, request);
    const symbol = checks.symbol('symbol', request.symbol);
    const kind = parseKind(request.kind, checks);
    checks.throwIfAny();
    if (kind === undefined) throw new Error('a kind was refused without a reason');
    if (kind.kind === 'replay' && (await datasets.find(accountId, kind.dataset)) === undefined) {
      throw notFound('dataset', kind.dataset);
    }
    if (kind.kind === 'exchange' && !exchanges) {
      throw new StatusError(
        'FailedPrecondition',
        'EXCHANGE_UNAVAILABLE',
        'prices of exchanges are off; start the market service with STRATEGOS_MARKET_EXCHANGES=on',
        { metadata: { setting: 'STRATEGOS_MARKET_EXCHANGES' } },
      );
    }
    const source = await sources.start({ id: uuidv7(), accountId, symbol, kind, replace: request.replace });
    return create(StartSourceResponseSchema, { source: sourceToProto(source, freshness, clock.nowMs()) });
  };
}
