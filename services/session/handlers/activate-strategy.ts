import type { HandlerContext } from '@connectrpc/connect';
import {
  type ActivateStrategyRequest,
  ActivateStrategyRequestSchema,
  type ActivateStrategyResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { Draft } from '../domain/draft.ts';
import { type PinnedStrategy, planBatch } from '../domain/starting.ts';
import { checksOf } from '../wire/field-checks.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import { parseSelection, waitOf } from '../wire/start-request.ts';
import { activationAnswer } from './activating.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { illegalState, readSession } from './reading.ts';
import { pinStrategies } from './resolving.ts';

export function activateStrategy(deps: SessionHandlerDependencies) {
  return async (
    request: ActivateStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<ActivateStrategyResponse, 'session'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ActivateStrategyRequestSchema, request);
    checks.id('id', request.id);
    const selection = parseSelection(request.selection, 'selection', checks);
    const limitMs = waitOf(request.wait, checks);
    checks.throwIfAny();
    const { session } = await readSession(deps.reader, accountId, request.id);
    const [strategy] = await pinStrategies(deps.upstream, accountId, [selection]);
    if (strategy === undefined) throw new Error('a strategy was asked for and none came');
    const deadlineMs = deps.clock.nowMs() + limitMs;
    const planned = await deps.book.change(session.id, (draft) =>
      add(draft, strategy, { allowPartial: request.allowPartial, deadlineMs }),
    );
    if (planned === undefined) {
      throw illegalState(session.id, session.state, 'strategies are added to a session that is ACTIVE or PAUSED');
    }
    const view = await activationAnswer(deps, accountId, session.id, planned, { signal: context.signal, limitMs });
    return { session: sessionToProto(view) };
  };
}

/** Instances of the strategy: new ones, and of symbols on which it runs already those. Undefined in a state that takes none. */
function add(
  draft: Draft,
  strategy: PinnedStrategy,
  batch: { readonly allowPartial: boolean; readonly deadlineMs: number },
): string[] | undefined {
  const { state, mode } = draft.session;
  if (mode === 'BACKTEST' || (state !== 'ACTIVE' && state !== 'PAUSED')) return undefined;
  const running = draft.activations.filter(
    (each) => each.strategyId === strategy.strategyId && (each.state === 'ACTIVE' || each.state === 'PENDING'),
  );
  const known = running.filter(({ symbol }) => strategy.symbols.includes(symbol));
  const symbols = strategy.symbols.filter((symbol) => !known.some((each) => each.symbol === symbol));
  const added = planBatch(draft, { strategies: [{ ...strategy, symbols }], ...batch });
  return [...known.map(({ instanceId }) => instanceId), ...added];
}
