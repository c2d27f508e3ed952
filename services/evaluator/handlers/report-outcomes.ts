import type { HandlerContext } from '@connectrpc/connect';
import {
  type ReportOutcomesRequest,
  ReportOutcomesRequestSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { outcomeFromProto } from '../wire/outcome-from-proto.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';

const OUTCOMES_MAX = 500;

export function reportOutcomes({ book, outcomes: bell }: EvaluatorHandlerDependencies) {
  return async (request: ReportOutcomesRequest, context: HandlerContext): Promise<Record<string, never>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ReportOutcomesRequestSchema, request);
    checks.count('outcomes', request.outcomes.length, OUTCOMES_MAX);
    const outcomes = request.outcomes.slice(0, OUTCOMES_MAX).map((outcome, i) => ({
      id: outcome.id,
      instanceId: outcome.instanceId,
      body: outcomeFromProto(outcome, checks.within(`outcomes[${i}]`)),
    }));
    checks.throwIfAny();
    await book.storeOutcomes(accountId, outcomes);
    bell.ring(accountId);
    return {};
  };
}
