import { createHash } from 'node:crypto';
import { type ContextKey, createContextKey, type HandlerContext } from '@connectrpc/connect';
import type { Clock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { FailureGuard } from '../domain/failure-guard.ts';
import type { Slots } from '../domain/slots.ts';
import type { StoredToken } from '../domain/token.ts';
import type { RateLimiter } from '../domain/token-bucket.ts';
import type { CallRecord } from './call-record.ts';
import type { MethodPolicy } from './method-policy.ts';
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
  /** Calls open by all operators, watches apart. */
  readonly callSlots: Slots;
  /** Calls open by all executors. */
  readonly pollSlots: Slots;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @throws StatusError RESOURCE_EXHAUSTED while the address is to wait after wrong credentials. */
export function refuseGuessing(parts: GateParts, record: CallRecord, digest: string, nowMs: number): void {
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

/** @throws StatusError RESOURCE_EXHAUSTED when the address is over its rate. */
export function limitAddress({ addressLimiter, clock }: GateParts, record: CallRecord): void {
  const waitMs = addressLimiter.take(record.address, clock.nowMs());
  if (waitMs > 0) throw rateLimited('this address', addressLimiter, waitMs);
}

/** @throws StatusError RESOURCE_EXHAUSTED when the token, or the credential with that digest, is over its rate. */
export function limitToken({ tokenLimiter }: GateParts, key: string, nowMs: number): void {
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

/** Takes a place among what may be open at once, until the call is over. @throws StatusError RESOURCE_EXHAUSTED without one. */
export function takeSlot(
  { watchSlots, callSlots, pollSlots }: GateParts,
  context: HandlerContext,
  record: CallRecord,
  kind: MethodPolicy['kind'],
): void {
  if (context.method.methodKind !== 'unary') {
    const release = watchSlots.acquire(context.values.get(operatorKey)?.id ?? record.address);
    if (release === undefined)
      throw tooManyOpen(`${watchSlots.max} watches are open already; close one first`, watchSlots);
    record.onEnd(release);
    return;
  }
  const slots = kind === 'executor' ? pollSlots : callSlots;
  const release = slots.acquire(ALL);
  if (release === undefined)
    throw tooManyOpen('the gateway has too many calls open; try again', slots, RETRY_WHEN_FULL_MS);
  record.onEnd(release);
}

function tooManyOpen(message: string, slots: Slots, retryAfterMs?: number): StatusError {
  return new StatusError('ResourceExhausted', 'RATE_LIMITED', message, {
    metadata: { open_max: String(slots.max) },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** What limits are kept by: never the secret itself. */
export function digestOf(bearer: string): string {
  return createHash('sha256').update(bearer).digest('base64');
}
