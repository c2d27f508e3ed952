import type { BacktestDependencies } from './backtest.ts';
import { runBacktest } from './backtest.ts';
import type { PassDependencies } from './pass.ts';
import { workOn } from './pass.ts';

/** What a session wants done by its worker: a back-test is followed to its end, every other session is kept as it is wanted. */
export function createWorker(deps: PassDependencies & BacktestDependencies) {
  return async (sessionId: string, lost: AbortSignal): Promise<number> => {
    const view = await deps.reader.find(sessionId);
    if (view === undefined) return Infinity;
    if (view.session.mode === 'BACKTEST') return runBacktest(deps, view, lost);
    return workOn(deps, view.session.accountId, sessionId);
  };
}
