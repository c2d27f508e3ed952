import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetStrategyRequest,
  GetStrategyRequestSchema,
  type GetStrategyResponse,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { strategyToProto } from '../wire/change-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { strategyIdOf } from './naming.ts';
import { unknownRevision } from './unknown-revision.ts';

export function getStrategy({ book }: StrategyHandlerDependencies) {
  return async (
    request: GetStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<GetStrategyResponse, 'strategy'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetStrategyRequestSchema, request);
    checks.text('strategy', request.strategy, { required: true });
    const number = checks.revision('revision', request.revision);
    checks.throwIfAny();
    const id = await strategyIdOf(book, accountId, request.strategy);
    const revision = await book.get(accountId, id, number === 0 ? Number.MAX_SAFE_INTEGER : number);
    if (revision === undefined) throw notFound('strategy', `${request.strategy}" as of revision "${number}`);
    // A later revision of the strategy is no answer to a number that the account has not come to.
    if (number > revision.number) {
      const { revision: newest } = await book.account(accountId);
      if (number > newest) throw unknownRevision(number, newest);
    }
    return { strategy: strategyToProto(revision) };
  };
}
