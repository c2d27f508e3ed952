import type { Client } from '@connectrpc/connect';
import type { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import type { Secret } from '../../platform/config.ts';
import type { StrategyUses } from '../domain/neighbours.ts';
import { awayError, callAs } from './call.ts';

/** Asks the session service who uses a strategy. */
export function strategyUses(sessions: Client<typeof SessionService>, internalToken: Secret): StrategyUses {
  return {
    async sessionIds(asker, strategyId) {
      try {
        const { uses } = await sessions.listStrategyUses({ strategyId }, callAs(internalToken, asker));
        return uses.map(({ sessionId }) => sessionId);
      } catch (thrown) {
        throw awayError('session', 'nobody knows whether sessions use the strategy; try again, or force it', thrown);
      }
    },
  };
}
