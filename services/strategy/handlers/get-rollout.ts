import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  EvaluatorRolloutSchema,
  type GetRolloutRequest,
  GetRolloutRequestSchema,
  type GetRolloutResponse,
  InstanceRolloutSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { askerOf, strategyIdOf } from './naming.ts';

type Rollout = Pick<GetRolloutResponse, 'revision' | 'digest' | 'evaluators' | 'instances' | 'unreachable'>;

export function getRollout({ book, fleet }: StrategyHandlerDependencies) {
  return async (request: GetRolloutRequest, context: HandlerContext): Promise<Rollout> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetRolloutRequestSchema, request);
    checks.text('strategy', request.strategy);
    checks.throwIfAny();
    const id = request.strategy === '' ? undefined : await strategyIdOf(book, accountId, request.strategy);
    const { applied, instances, unreachable } = await fleet.view(askerOf(context), id);
    // Read after the evaluators were asked: none of them can be ahead of it.
    const { revision, digest } = await book.account(accountId);
    const newest = await book.newest(accountId, [...new Set(instances.map(({ strategyId }) => strategyId))]);
    return {
      revision: BigInt(revision),
      digest,
      evaluators: applied.map((each) =>
        create(EvaluatorRolloutSchema, {
          replicaId: each.replicaId,
          appliedRevision: BigInt(each.revision),
          digest: each.digest,
          current: each.revision === revision && each.digest === digest,
        }),
      ),
      instances: instances.map((each) =>
        create(InstanceRolloutSchema, {
          sessionId: each.sessionId,
          strategyId: each.strategyId,
          symbol: each.symbol,
          replicaId: each.replicaId,
          runningRevision: BigInt(each.revision),
          pinned: each.pinned,
          current: each.revision === newest.get(each.strategyId),
        }),
      ),
      unreachable: [...unreachable],
    };
  };
}
