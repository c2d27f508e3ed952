import type { ServiceImpl } from '@connectrpc/connect';
import type { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { activateStrategy } from './activate-strategy.ts';
import { deactivateStrategy } from './deactivate-strategy.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { getHalt } from './get-halt.ts';
import { getSession } from './get-session.ts';
import { listPositions } from './list-positions.ts';
import { listSessions } from './list-sessions.ts';
import { listSignals } from './list-signals.ts';
import { listStrategyUses } from './list-strategy-uses.ts';
import { pauseSession } from './pause-session.ts';
import { resumeSession } from './resume-session.ts';
import { startSession } from './start-session.ts';
import { stopAll } from './stop-all.ts';
import { stopSession } from './stop-session.ts';
import { submitIntents } from './submit-intents.ts';
import { watchSession } from './watch-session.ts';

export function sessionHandlers(deps: SessionHandlerDependencies): ServiceImpl<typeof SessionService> {
  return {
    startSession: startSession(deps),
    stopSession: stopSession(deps),
    pauseSession: pauseSession(deps),
    resumeSession: resumeSession(deps),
    activateStrategy: activateStrategy(deps),
    deactivateStrategy: deactivateStrategy(deps),
    getSession: getSession(deps),
    listSessions: listSessions(deps),
    watchSession: watchSession(deps),
    listSignals: listSignals(deps),
    listPositions: listPositions(deps),
    stopAll: stopAll(deps),
    getHalt: getHalt(deps),
    submitIntents: submitIntents(deps),
    listStrategyUses: listStrategyUses(deps),
  };
}
