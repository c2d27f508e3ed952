import type { HandlerContext } from '@connectrpc/connect';
import { v7 as uuid } from 'uuid';
import {
  type CreateStrategyRequest,
  CreateStrategyRequestSchema,
  type CreateStrategyResponse,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { strategyToProto } from '../wire/change-to-proto.ts';
import { faultToProto } from '../wire/fault-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { soundDefinition } from './judging.ts';
import { askerOf } from './naming.ts';
import { revisionOf } from './outcome.ts';

export function createStrategy({ desk, catalogue }: StrategyHandlerDependencies) {
  return async (
    request: CreateStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<CreateStrategyResponse, 'strategy' | 'warnings'>> => {
    const { accountId, subject: author } = callerOf(context);
    const checks = checksOf(CreateStrategyRequestSchema, request);
    checks.text('request_id', request.requestId);
    const { definition, warnings } = await soundDefinition(catalogue, askerOf(context), request.source, checks);
    const requestId = request.requestId === '' ? undefined : request.requestId;
    const outcome = await desk.create({ accountId, id: uuid(), definition, author, requestId });
    const name = definition.strategyName;
    const revision = revisionOf(outcome, { strategy: name, name, requestId: request.requestId });
    return { strategy: strategyToProto(revision), warnings: warnings.map(faultToProto) };
  };
}
