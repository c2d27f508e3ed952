import { createHash } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { v7 as uuid } from 'uuid';
import { HaltScope, HaltScopeSchema } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import {
  type StopAllRequest,
  StopAllRequestSchema,
  type StopAllResponse,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { notFound, StatusError } from '../../platform/errors.ts';
import { type Caller, callerOf } from '../../platform/grpc/caller.ts';
import type { ExecutorName, HaltScope as ScopeName, HaltView } from '../domain/halt.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { presentHalt } from './halts.ts';
import { readSession } from './reading.ts';
import { findExecutor, listExecutors } from './resolving.ts';

const WAIT_MS = { absent: 0, maxMs: 30_000 } as const;
const LOOK_MS = 100;
const SCOPES: Readonly<Partial<Record<HaltScope, ScopeName>>> = {
  [HaltScope.ACCOUNT]: 'ACCOUNT',
  [HaltScope.EXECUTOR]: 'EXECUTOR',
  [HaltScope.SESSION]: 'SESSION',
};

interface StopWish {
  readonly scope: ScopeName;
  readonly target: string;
  readonly closePositions: boolean;
  readonly requestId: string;
  readonly fingerprint: string;
  readonly waitMs: number;
}

export function stopAll(deps: SessionHandlerDependencies) {
  return async (request: StopAllRequest, context: HandlerContext): Promise<Pick<StopAllResponse, 'halt'>> => {
    const caller = callerOf(context);
    const wish = parse(request);
    const id = (await repeated(deps, caller.accountId, wish)) ?? (await create(deps, caller, wish));
    const view = await carryOut(deps, caller.accountId, id, wish.waitMs, context.signal);
    return { halt: await presentHalt(deps, view) };
  };
}

function parse(request: StopAllRequest): StopWish {
  const checks = checksOf(StopAllRequestSchema, request);
  checks.enumeration('scope', HaltScopeSchema, request.scope, true);
  checks.requestId(request.requestId);
  const scope = SCOPES[request.scope] ?? 'ACCOUNT';
  if (scope === 'EXECUTOR') checks.text('target', request.target, true);
  else if (scope === 'SESSION') checks.id('target', request.target);
  else if (request.target !== '') checks.add('target', 'must be left out: the scope is the whole account');
  const waitMs = checks.span('wait', request.wait, WAIT_MS);
  checks.throwIfAny();
  const { target, closePositions, requestId } = request;
  // How long the caller waits is no part of what is asked.
  const asked = toBinary(StopAllRequestSchema, { ...request, wait: undefined });
  const fingerprint = createHash('sha256').update(asked).digest('hex');
  return { scope, target, closePositions, requestId, fingerprint, waitMs };
}

async function create(deps: SessionHandlerDependencies, caller: Caller, wish: StopWish): Promise<string> {
  const { accountId, subject } = caller;
  const { scope, target, closePositions, requestId, fingerprint } = wish;
  const id = uuid();
  const { executors, sessionId } = await reach(deps, accountId, wish);
  await deps.followAccount(accountId);
  const halt = {
    id,
    accountId,
    requestId: requestId === '' ? null : requestId,
    fingerprint: requestId === '' ? null : fingerprint,
    scope,
    target,
    closePositions,
    author: subject,
  };
  if (await deps.halts.create({ halt, executors, sessionId })) return id;
  const earlier = await repeated(deps, accountId, wish);
  if (earlier === undefined) throw new Error(`halt ${id} could not be stored`);
  return earlier;
}

/** Which executors, and with the scope SESSION which session. */
async function reach(
  { upstream, reader }: SessionHandlerDependencies,
  accountId: string,
  { scope, target }: StopWish,
): Promise<{ readonly executors: readonly ExecutorName[]; readonly sessionId: string | undefined }> {
  switch (scope) {
    case 'ACCOUNT':
      return { executors: await listExecutors(upstream, accountId), sessionId: undefined };
    case 'EXECUTOR':
      return { executors: [await findExecutor(upstream, accountId, target)], sessionId: undefined };
    case 'SESSION': {
      const { session } = await readSession(reader, accountId, target);
      const { executorId, executorName } = session;
      return { executors: executorId === null ? [] : [{ id: executorId, name: executorName }], sessionId: session.id };
    }
  }
}

async function repeated(
  { halts }: SessionHandlerDependencies,
  accountId: string,
  { requestId, fingerprint }: StopWish,
): Promise<string | undefined> {
  const earlier = requestId === '' ? undefined : await halts.findRequest(accountId, requestId);
  if (earlier === undefined || earlier.halt.fingerprint === fingerprint) return earlier?.halt.id;
  const message = `request id "${requestId}" was used for halt ${earlier.halt.id} with another body; use a new one`;
  throw new StatusError('AlreadyExists', 'REQUEST_ID_REUSED', message, {
    metadata: { request_id: requestId, halt_id: earlier.halt.id },
  });
}

/** It is durable: a failure here ends nothing, the sweep goes on with it. */
async function carryOut(
  { halts, advanceHalt, clock }: SessionHandlerDependencies,
  accountId: string,
  id: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<HaltView> {
  const endMs = clock.steadyMs() + waitMs;
  for (;;) {
    const view = await halts.get(accountId, id);
    if (view === undefined) throw notFound('halt', id);
    if (view.halt.completeTimeMs !== null) return view;
    await advanceHalt(view);
    const now = (await halts.get(accountId, id)) ?? view;
    if (now.halt.completeTimeMs !== null || clock.steadyMs() >= endMs || signal.aborted) return now;
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
  }
}
