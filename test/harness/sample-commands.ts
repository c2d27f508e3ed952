import type { Command } from '../../services/command/domain/command.ts';
import { type IssueOrder, issue } from '../../services/command/domain/issue.ts';

/** Where `ManualClock` begins, too. */
export const SAMPLE_NOW_MS = Date.UTC(2024, 0, 1);
export const SAMPLE_EXECUTOR_ID = '00000000-0000-4000-8000-0000000000e1';

/** An id of a command that reads as its number. */
export function sampleId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** A checked order for `start_strategy` of one instance, with `overrides`. */
export function sampleOrder(overrides: Partial<IssueOrder> = {}): IssueOrder {
  return {
    id: sampleId(1),
    accountId: 'main',
    executorId: SAMPLE_EXECUTOR_ID,
    kind: 'start_strategy',
    parameters: new Uint8Array([1]),
    orderingKey: '/s1/a/BTC',
    requestId: null,
    fingerprint: null,
    retryOf: null,
    preconditions: null,
    lane: null,
    attemptsMax: null,
    notAfterMs: null,
    spans: {},
    ...overrides,
  };
}

/** A command as it is right after it was issued, PENDING, with `overrides`. */
export function sampleCommand(
  order: Partial<IssueOrder> = {},
  overrides: Partial<Command> = {},
  nowMs = SAMPLE_NOW_MS,
): Command {
  return { ...issue(sampleOrder(order), nowMs).command, ...overrides };
}
