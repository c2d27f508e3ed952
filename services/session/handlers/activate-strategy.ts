import { createHash } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ActivateStrategyRequest,
  ActivateStrategyRequestSchema,
  type ActivateStrategyResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { Draft } from '../domain/draft.ts';
import type { ActivationRequest } from '../domain/records.ts';
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
    checks.requestId(request.requestId);
    checks.throwIfAny();
    const { requestId } = request;
    const fingerprint = createHash('sha256').update(toBinary(ActivateStrategyRequestSchema, request)).digest('hex');
    const answer = async (instanceIds: readonly string[], repeated: boolean) => {
      const call = { signal: context.signal, limitMs, repeated };
      const view = await activationAnswer(deps, accountId, request.id.toLowerCase(), instanceIds, call);
      return { session: sessionToProto(view) };
    };
    const earlier = requestId === '' ? undefined : await deps.reader.findActivation(accountId, requestId);
    if (earlier !== undefined) return answer(same(earlier, fingerprint).instanceIds, true);
    const { session } = await readSession(deps.reader, accountId, request.id);
    const [strategy] = await pinStrategies(deps.upstream, accountId, [selection]);
    if (strategy === undefined) throw new Error('a strategy was asked for and none came');
    const deadlineMs = deps.clock.nowMs() + limitMs;
    const plan = (draft: Draft) => add(draft, strategy, { allowPartial: request.allowPartial, deadlineMs });
    const keyed = { requestId, fingerprint, sessionId: session.id };
    const planned =
      requestId === ''
        ? await deps.book.change(session.id, plan)
        : await deps.book.activate(accountId, keyed, plan).then((made) => made && same(made, fingerprint).instanceIds);
    if (planned === undefined) {
      throw illegalState(session.id, session.state, 'strategies are added to a session that is ACTIVE or PAUSED');
    }
    return answer(planned, false);
  };
}

/** @throws ALREADY_EXISTS (REQUEST_ID_REUSED) when the earlier call with this request id asked for something else. */
function same(earlier: ActivationRequest, fingerprint: string): ActivationRequest {
  if (earlier.fingerprint === fingerprint) return earlier;
  const { requestId, sessionId } = earlier;
  throw new StatusError(
    'AlreadyExists',
    'REQUEST_ID_REUSED',
    `request id "${requestId}" activated a strategy in session ${sessionId} with another body; use a new one`,
    { metadata: { request_id: requestId, session_id: sessionId } },
  );
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
