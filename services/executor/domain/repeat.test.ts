import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideDelivery, type KnownCommand, type Stage } from './repeat.ts';

const known = (stage: Stage, attempt: number, failedRetryable = false): KnownCommand => ({
  stage,
  attempt,
  failedRetryable,
});

describe('a delivery', () => {
  test.each([
    ['never seen', undefined, 3, { action: 'accept' }],
    ['a repeat of one that waits', known('received', 1), 1, { action: 'answer', adoptAttempt: false }],
    ['sent again for want of a receipt', known('running', 1), 2, { action: 'answer', adoptAttempt: true }],
    ['another try after a failure that may pass', known('finished', 1, true), 2, { action: 'execute_again' }],
    ['a repeat of a failed try', known('finished', 2, true), 2, { action: 'answer', adoptAttempt: false }],
    ['another try after a final end', known('finished', 1), 2, { action: 'answer', adoptAttempt: true }],
  ])('%s', (_, before, attempt, decision) => {
    expect(decideDelivery(before, attempt)).toEqual(decision);
  });

  test('whatever is delivered in whatever order, no attempt is executed twice and none after a final end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('pending', 'failed', 'final')), {
          maxLength: 30,
        }),
        (deliveries) => {
          let state: KnownCommand | undefined;
          const executed: number[] = [];
          let final = false;
          for (const [attempt, outcome] of deliveries) {
            const decision = decideDelivery(state, attempt);
            if (decision.action !== 'answer') {
              expect(final).toBe(false);
              expect(executed).not.toContain(attempt);
              executed.push(attempt);
              final = outcome === 'final';
              state = known(outcome === 'pending' ? 'running' : 'finished', attempt, outcome === 'failed');
            } else if (decision.adoptAttempt && state !== undefined) state = { ...state, attempt };
          }
          expect(executed).toEqual(executed.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
