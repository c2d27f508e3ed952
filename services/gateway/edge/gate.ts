import { createHash } from 'node:crypto';
import { Code, ConnectError, type ContextKey, createContextKey, type HandlerContext } from '@connectrpc/connect';
import type { Clock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import { callerKey } from '../../platform/grpc/caller.ts';
import { toConnectError } from '../../platform/grpc/status.ts';
import type { Logger } from '../../platform/logger.ts';
import { bearerValue, isExecutorCredential, parseBearer } from '../domain/bearer.ts';
import type { FailureGuard } from '../domain/failure-guard.ts';
import { requireRole, type Role } from '../domain/role.ts';
import type { Slots } from '../domain/slots.ts';
import { checkPresented, credentialInvalid, type StoredToken } from '../domain/token.ts';
import type { RateLimiter } from '../domain/token-bucket.ts';
import { type CallRecord, recordKey } from './call-record.ts';
import { policyOf } from './method-policy.ts';
import type { TokenCache } from './token-cache.ts';

/** The token of the operator who calls, for handlers that speak of it. */
export const operatorKey: ContextKey<StoredToken | undefined> = createContextKey<StoredToken | undefined>(undefined, {
  description: 'operator token',
});

export interface GateParts {
  readonly tokens: TokenCache;
  readonly addressLimiter: RateLimiter;
  readonly tokenLimiter: RateLimiter;
  readonly failureGuard: FailureGuard;
  /** Watches open by one token. */
  readonly watchSlots: Slots;
  /** Calls open by everybody, watches apart. */
  readonly callSlots: Slots;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Decides whether a call may go on, before anything of its body is read: limits of its address, credential, limits of its token,
 * role. Leaves the caller in the context. What it throws is a ConnectError that is recorded.
 */
export function createGate(parts: GateParts): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const record = context.values.get(recordKey);
    if (record === undefined) throw new Error('the gate needs the record of the call');
    try {
      limitAddress(parts, record);
      await admit(parts, context, record);
    } catch (thrown) {
      throw record.failedWith(toConnectError(thrown, { requestId: record.requestId, logger: parts.logger }));
    }
  };
}

async function admit(parts: GateParts, context: HandlerContext, record: CallRecord): Promise<void> {
  const policy = policyOf(context.method);
  switch (policy.kind) {
    case 'open':
      break;
    case 'operator':
      await admitOperator(parts, context, record, policy.role);
      break;
    case 'executor':
      admitExecutor(parts, context, record);
      break;
    case 'closed':
      throw new ConnectError(`${record.rpc} is not served here`, Code.Unimplemented);
    default:
      policy satisfies never;
  }
  takeSlot(parts, context, record);
}

async function admitOperator(parts: GateParts, context: HandlerContext, record: CallRecord, role: Role): Promise<void> {
  const bearer = presentedBearer(context);
  const digest = digestOf(bearer);
  const nowMs = parts.clock.nowMs();
  refuseGuessing(parts, record, digest, nowMs);
  const presented = parseBearer(bearer);
  try {
    if (presented === undefined) throw credentialInvalid(notAnOperatorToken(bearer));
    const token = checkPresented(presented, await parts.tokens.find(presented.tokenId));
    parts.failureGuard.succeeded(digest, nowMs);
    record.calledBy({ account: token.accountId, subject: token.name, tokenId: token.id });
    context.values.set(operatorKey, token);
    context.values.set(callerKey, { accountId: token.accountId, role: token.role, subject: token.name });
    limitToken(parts, token.id, nowMs);
    requireRole(token.role, role, record.rpc);
  } catch (thrown) {
    if (isWrongCredential(thrown)) parts.failureGuard.failed(record.address, digest, nowMs);
    throw thrown;
  }
}

/** The link port checks the credential; here it only has to look like one. */
function admitExecutor(parts: GateParts, context: HandlerContext, record: CallRecord): void {
  const bearer = presentedBearer(context);
  const digest = digestOf(bearer);
  const nowMs = parts.clock.nowMs();
  refuseGuessing(parts, record, digest, nowMs);
  if (!isExecutorCredential(bearer)) {
    parts.failureGuard.failed(record.address, digest, nowMs);
    throw credentialInvalid('this RPC takes the credential of an executor, "Bearer <key_id>.<secret>"');
  }
  limitToken(parts, digest, nowMs);
}

/** Notes what the link port said of an executor's credential. */
export function noteExecutorCredential(parts: GateParts, context: HandlerContext, accepted: boolean): void {
  const bearer = bearerValue(context.requestHeader.get('authorization'));
  const address = context.values.get(recordKey)?.address;
  if (bearer === undefined || address === undefined) return;
  if (accepted) parts.failureGuard.succeeded(digestOf(bearer), parts.clock.nowMs());
  else parts.failureGuard.failed(address, digestOf(bearer), parts.clock.nowMs());
}

function presentedBearer(context: HandlerContext): string {
  const bearer = bearerValue(context.requestHeader.get('authorization'));
  if (bearer === undefined) {
    throw credentialInvalid('no credential came with the call; send the header "authorization: Bearer <token>"');
  }
  return bearer;
}

function notAnOperatorToken(bearer: string): string {
  return isExecutorCredential(bearer)
    ? "this is an executor's credential; operators' tokens begin with sop_"
    : 'the bearer is not an operator token (sop_<id>_<secret>); check that it was copied whole';
}

function refuseGuessing(parts: GateParts, record: CallRecord, digest: string, nowMs: number): void {
  const waitMs = parts.failureGuard.waitMs(record.address, digest, nowMs);
  if (waitMs === 0) return;
  throw new StatusError(
    'ResourceExhausted',
    'RATE_LIMITED',
    'too many wrong credentials came from this address; wait',
    {
      retryAfterMs: waitMs,
    },
  );
}

function limitAddress({ addressLimiter, clock }: GateParts, record: CallRecord): void {
  const waitMs = addressLimiter.take(record.address, clock.nowMs());
  if (waitMs > 0) throw rateLimited('this address', addressLimiter, waitMs);
}

function limitToken({ tokenLimiter }: GateParts, key: string, nowMs: number): void {
  const waitMs = tokenLimiter.take(key, nowMs);
  if (waitMs > 0) throw rateLimited('this token', tokenLimiter, waitMs);
}

function rateLimited(whose: string, limiter: RateLimiter, waitMs: number): StatusError {
  const { perSecond } = limiter.limit;
  return new StatusError(
    'ResourceExhausted',
    'RATE_LIMITED',
    `${whose} sends more than ${perSecond} requests a second; wait ${waitMs} ms`,
    { metadata: { limit_per_second: String(perSecond) }, retryAfterMs: waitMs },
  );
}

const ALL = 'all';
const RETRY_WHEN_FULL_MS = 250;

function takeSlot({ watchSlots, callSlots }: GateParts, context: HandlerContext, record: CallRecord): void {
  const isWatch = context.method.methodKind !== 'unary';
  const release = isWatch
    ? watchSlots.acquire(context.values.get(operatorKey)?.id ?? record.address)
    : callSlots.acquire(ALL);
  if (release === undefined) {
    throw isWatch
      ? new StatusError(
          'ResourceExhausted',
          'RATE_LIMITED',
          `${watchSlots.max} watches are open already; close one first`,
          {
            metadata: { watches_max: String(watchSlots.max) },
          },
        )
      : new StatusError('ResourceExhausted', 'RATE_LIMITED', 'the gateway has too many calls open; try again', {
          metadata: { calls_max: String(callSlots.max) },
          retryAfterMs: RETRY_WHEN_FULL_MS,
        });
  }
  record.onEnd(release);
}

function isWrongCredential(thrown: unknown): boolean {
  return thrown instanceof StatusError && thrown.code === 'Unauthenticated';
}

/** What limits are kept by: never the secret itself. */
function digestOf(bearer: string): string {
  return createHash('sha256').update(bearer).digest('base64');
}
