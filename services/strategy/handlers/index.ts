import type { ServiceImpl } from '@connectrpc/connect';
import type { StrategyService } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { createStrategy } from './create-strategy.ts';
import { deleteStrategy } from './delete-strategy.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { getRollout } from './get-rollout.ts';
import { getStrategy } from './get-strategy.ts';
import { listRevisions } from './list-revisions.ts';
import { listStrategies } from './list-strategies.ts';
import { updateStrategy } from './update-strategy.ts';
import { validateStrategy } from './validate-strategy.ts';
import { watchChanges } from './watch-changes.ts';

export function strategyHandlers(deps: StrategyHandlerDependencies): ServiceImpl<typeof StrategyService> {
  return {
    createStrategy: createStrategy(deps),
    updateStrategy: updateStrategy(deps),
    deleteStrategy: deleteStrategy(deps),
    getStrategy: getStrategy(deps),
    listStrategies: listStrategies(deps),
    listRevisions: listRevisions(deps),
    validateStrategy: validateStrategy(deps),
    watchChanges: watchChanges(deps),
    getRollout: getRollout(deps),
  };
}
