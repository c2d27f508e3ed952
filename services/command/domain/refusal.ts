import { type Executor, lastSeenMs } from './executor.ts';

/** Reasons that are a no to the agent itself: what it calls with, not the platform's state, has to change. */
export const REFUSAL_REASONS = [
  'CREDENTIAL_INVALID',
  'CREDENTIAL_REVOKED',
  'EXECUTOR_DISABLED',
  'CONTRACT_UNSUPPORTED',
  'INVALID_FIELD',
  'PROTOCOL_VIOLATION',
  'MESSAGE_TOO_LARGE',
  'STREAM_SUPERSEDED',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What a Hello says of the agent that said it. */
export interface RefusedAgent {
  readonly version: string;
  readonly contractDigest: string;
  readonly host: string;
}

/** A call for a stream or a poll that was refused, as it happens. */
export interface NewRefusal {
  readonly accountId: string;
  readonly executorId: string;
  readonly atMs: number;
  readonly reason: RefusalReason;
  /** What the caller was told, or for a wrong secret a little more. */
  readonly message: string;
  readonly keyId: string;
  /** The secret was right. Otherwise the caller knows a key of the executor, and is anybody. */
  readonly isProven: boolean;
  readonly link: 'STREAM' | 'POLL';
  /** Null when the call was refused before a Hello was read. */
  readonly agent: RefusedAgent | null;
}

/** The latest refusal of an executor, as it is stored. */
export interface Refusal extends Omit<NewRefusal, 'accountId' | 'executorId' | 'reason'> {
  /** Since when every call was refused, for this reason or another. */
  readonly sinceMs: number;
  /** A newer release of the platform may have written one that this one does not know. */
  readonly reason: string;
}

/** When a stream is ended with a no, the agent calls again at once, and may be refused before the end is stored. */
const BEFORE_END_MS = 2_000;
/** An agent that is refused calls again within a minute: after three it has been stopped, or cannot get through. */
const CALLS_AGAIN_MS = 180_000;

/** Whether the refusal is why the executor is not connected: it is away, and was refused after it was last seen. */
export function isCurrent(refusal: Refusal, executor: Executor): boolean {
  if (executor.online) return false;
  const seenMs = lastSeenMs(executor);
  if (seenMs === null) return true;
  // While it was connected, another agent with its credential was refused: that says nothing of why it is away now.
  return refusal.atMs > (executor.connectMs ?? 0) && refusal.atMs > seenMs - BEFORE_END_MS;
}

/** Whether the agent is likely to be calling still. */
export function isCalling(refusal: Refusal, nowMs: number): boolean {
  return nowMs - refusal.atMs < CALLS_AGAIN_MS;
}

/** What to do about it, in half a sentence. */
export function remedyOf({ reason }: Refusal, executorName: string): string {
  const known = REFUSAL_REASONS.find((each) => each === reason);
  const again = `strategos executor rotate ${executorName} --out ${executorName}.json`;
  switch (known) {
    case 'CREDENTIAL_INVALID':
      return `on its machine, strategos executor doctor --credentials FILE tells whether that is its agent; if it is, give it the credentials file that it was given last, or a new one: ${again}`;
    case 'CREDENTIAL_REVOKED':
      return `give its agent the newest credentials file, or a new one: ${again}`;
    case 'EXECUTOR_DISABLED':
      return 'stop its agent; disabling is for good, and strategos executor create makes another executor';
    case 'CONTRACT_UNSUPPORTED':
      return 'install a version that is named on the machine of its agent; strategos contracts can-deploy lists the fleet';
    case 'INVALID_FIELD':
    case 'PROTOCOL_VIOLATION':
    case 'MESSAGE_TOO_LARGE':
      return 'install an agent of a supported version on its machine, or correct the program that speaks for it';
    case 'STREAM_SUPERSEDED':
      return 'stop one of the two agents that share its credential, or give one an executor of its own: strategos executor create';
    case undefined:
      return 'look at the log of its agent';
    default:
      return known satisfies never;
  }
}
