import type { HandlerContext } from '@connectrpc/connect';
import { v7 as uuid } from 'uuid';
import type {
  StartSessionRequest,
  StartSessionResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { type Caller, callerOf } from '../../platform/grpc/caller.ts';
import type { ExecutorName } from '../domain/halt.ts';
import type { SessionRecord } from '../domain/records.ts';
import { planSession } from '../domain/starting.ts';
import { sessionToProto } from '../wire/session-to-proto.ts';
import { parseStartRequest, type StartWish } from '../wire/start-request.ts';
import { activationAnswer } from './activating.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { chooseExecutor, findExecutor, pinStrategies } from './resolving.ts';

export function startSession(deps: SessionHandlerDependencies) {
  return async (
    request: StartSessionRequest,
    context: HandlerContext,
  ): Promise<Pick<StartSessionResponse, 'session'>> => {
    const caller = callerOf(context);
    const wish = parseStartRequest(request);
    const id = (await repeated(deps, caller.accountId, wish)) ?? (await create(deps, caller, wish));
    const call = { signal: context.signal, limitMs: wish.waitMs };
    return { session: sessionToProto(await activationAnswer(deps, caller.accountId, id, undefined, call)) };
  };
}

/** Nothing is asked of anybody before the session, and everything that it wants, is durable. */
async function create(deps: SessionHandlerDependencies, caller: Caller, wish: StartWish): Promise<string> {
  const { book, upstream, clock, followAccount } = deps;
  const { accountId } = caller;
  if (wish.mode === 'BACKTEST' && upstream.backtests === undefined) {
    throw new StatusError('FailedPrecondition', 'UNAVAILABLE', 'this platform runs no back-test service', {
      metadata: { dependency: 'backtest' },
    });
  }
  const [strategies, executor] = await Promise.all([
    pinStrategies(upstream, accountId, wish.selections),
    executorOf(deps, accountId, wish),
  ]);
  if (executor !== undefined) await followAccount(accountId);
  const session = newSession(caller, wish, executor, clock.nowMs());
  const deadlineMs = clock.nowMs() + wish.waitMs;
  const created = await book.create(session, (draft) =>
    planSession(draft, { strategies, allowPartial: wish.allowPartial, deadlineMs }),
  );
  if (created) return session.id;
  // Another call with this request id was faster.
  const id = await repeated(deps, accountId, wish);
  if (id === undefined) throw new Error(`session ${session.id} could not be stored`);
  return id;
}

function executorOf(
  { upstream }: SessionHandlerDependencies,
  accountId: string,
  { mode, executor, executorLabels }: StartWish,
): Promise<ExecutorName | undefined> {
  if (mode === 'BACKTEST') return Promise.resolve(undefined);
  return executor === ''
    ? chooseExecutor(upstream, accountId, executorLabels)
    : findExecutor(upstream, accountId, executor);
}

/** The session that an earlier call with this request id has made. @throws ALREADY_EXISTS when that one asked for something else. */
async function repeated(
  { reader }: SessionHandlerDependencies,
  accountId: string,
  { requestId, fingerprint }: StartWish,
): Promise<string | undefined> {
  const earlier = requestId === '' ? undefined : await reader.findRequest(accountId, requestId);
  if (earlier === undefined) return undefined;
  const { id } = earlier.session;
  if (earlier.session.fingerprint === fingerprint) return id;
  throw new StatusError(
    'AlreadyExists',
    'REQUEST_ID_REUSED',
    `request id "${requestId}" started session ${id} with another body; use a new one`,
    { metadata: { request_id: requestId, session_id: id } },
  );
}

function newSession(
  { accountId, subject }: Caller,
  wish: StartWish,
  executor: ExecutorName | undefined,
  nowMs: number,
): SessionRecord {
  const { mode, pinPolicy, disconnectPolicy, disconnectAfterMs, initialBalance, dataset, requestId, fingerprint } =
    wish;
  return {
    id: uuid(),
    accountId,
    requestId: requestId === '' ? null : requestId,
    fingerprint: requestId === '' ? null : fingerprint,
    author: subject,
    mode,
    state: 'STARTING',
    reason: '',
    executorId: executor?.id ?? null,
    executorName: executor?.name ?? '',
    pinPolicy,
    disconnectPolicy,
    disconnectAfterMs,
    initialBalance,
    realisedPnl: '0',
    equity: initialBalance,
    peakEquity: initialBalance,
    maxDrawdownPct: '0',
    balance: '',
    dataset,
    progressPercent: 0,
    closePositions: false,
    haltId: null,
    stopAttempt: 0,
    bookedCommandIds: [],
    version: 0,
    createTimeMs: nowMs,
    startTimeMs: null,
    stopTimeMs: null,
  };
}
