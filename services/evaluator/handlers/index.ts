import type { ServiceImpl } from '@connectrpc/connect';
import type { EvaluatorService } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { activateInstances } from './activate-instances.ts';
import { deactivateInstances } from './deactivate-instances.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';
import { explainInstance } from './explain-instance.ts';
import { listCaches } from './list-caches.ts';
import { listInstances } from './list-instances.ts';
import { pauseInstances } from './pause-instances.ts';
import { reportOutcomes } from './report-outcomes.ts';
import { watchTransitions } from './watch-transitions.ts';

export type { EvaluatorHandlerDependencies } from './dependencies.ts';

export function evaluatorHandlers(deps: EvaluatorHandlerDependencies): ServiceImpl<typeof EvaluatorService> {
  return {
    activateInstances: activateInstances(deps),
    deactivateInstances: deactivateInstances(deps),
    pauseInstances: pauseInstances(deps),
    reportOutcomes: reportOutcomes(deps),
    listCaches: listCaches(deps),
    listInstances: listInstances(deps),
    watchTransitions: watchTransitions(deps),
    explainInstance: explainInstance(deps),
  };
}
