import { ATTEMPTS_MAX_DEFAULT, type Kind, policyOf, RECEIVE_WITHIN_MS } from './kind.ts';
import type { Command, Lane, Step } from './command.ts';
import { AGENT_GRACE_MS, dueMs } from './transition.ts';

/** A checked wish for a command; spans in milliseconds, absent ones take the kind's defaults. */
export interface IssueOrder {
  readonly id: string;
  readonly accountId: string;
  readonly executorId: string;
  readonly kind: Kind;
  readonly parameters: Uint8Array;
  readonly orderingKey: string;
  readonly requestId: string | null;
  readonly fingerprint: Uint8Array | null;
  readonly retryOf: string | null;
  readonly preconditions: Uint8Array | null;
  readonly lane: Lane | null;
  readonly attemptsMax: number | null;
  readonly notAfterMs: number | null;
  readonly spans: {
    readonly deliverWithinMs?: number | undefined;
    readonly receiveWithinMs?: number | undefined;
    readonly startWithinMs?: number | undefined;
    readonly progressWithinMs?: number | undefined;
    readonly finishWithinMs?: number | undefined;
  };
}

/** The new command, PENDING, with its first step of history. */
export function issue(order: IssueOrder, nowMs: number): { readonly command: Command; readonly step: Step } {
  const policy = policyOf(order.kind);
  const attemptsMax = order.attemptsMax ?? ATTEMPTS_MAX_DEFAULT;
  const deliverByMs = nowMs + (order.spans.deliverWithinMs ?? policy.deliverWithinMs);
  const startWithinMs = order.spans.startWithinMs ?? policy.startWithinMs;
  const finishWithinMs = order.spans.finishWithinMs ?? policy.finishWithinMs;
  const command: Command = {
    id: order.id,
    accountId: order.accountId,
    executorId: order.executorId,
    sequence: 0,
    kind: order.kind,
    parameters: order.parameters,
    lane: order.lane ?? policy.lane,
    orderingKey: order.orderingKey,
    requestId: order.requestId,
    fingerprint: order.fingerprint,
    retryOf: order.retryOf,
    preconditions: order.preconditions,
    deadlines: {
      deliverByMs,
      receiveWithinMs: order.spans.receiveWithinMs ?? RECEIVE_WITHIN_MS,
      startWithinMs,
      progressWithinMs: order.spans.progressWithinMs ?? policy.progressWithinMs,
      finishWithinMs,
      // Taken at the last moment, started at the last moment, and finished at the last moment.
      finishByMs: deliverByMs + startWithinMs + finishWithinMs + 2 * AGENT_GRACE_MS,
      notAfterMs: order.notAfterMs,
    },
    state: 'PENDING',
    version: 1,
    attempt: 0,
    attemptsMax,
    failures: 0,
    resends: 0,
    streamEpoch: null,
    journalId: null,
    createMs: nowMs,
    sentMs: null,
    receivedMs: null,
    startMs: null,
    progressMs: null,
    finishMs: null,
    cancelRequestMs: null,
    settleMs: null,
    retryMs: null,
    dueMs: Infinity,
    error: null,
    result: null,
    progress: null,
    note: null,
    unsettled: false,
    settledBy: null,
  };
  return {
    command: Object.assign(command, { dueMs: dueMs(command, nowMs) }),
    step: { from: null, to: 'PENDING', atMs: nowMs, cause: 'issued', attempt: 0 },
  };
}
