import { describe, expect, test } from 'vitest';
import { checkHistory, describeViolations } from './history-checker.ts';
import { Story } from './told-history.ts';

/** A command that may have had its effect, and nobody knows. */
function unknown(): Story {
  return new Story().issue('a').step('a', 'SENT', 'OUTCOME_UNKNOWN');
}

describe('good histories', () => {
  test('an operator saw the effect, and the agent says so later', () => {
    const story = new Story();
    story.issue('a').step('a', 'SENT', 'RECEIVED', 'RUNNING').act('a', 'start').act('a', 'effect');
    story.step('a', 'OUTCOME_UNKNOWN').settleByOperator('a', 'SUCCEEDED').said('a', 'SUCCEEDED');
    story.act('a', 'result').acknowledge('a', 'SUCCEEDED');
    expect(describeViolations(checkHistory(story.told()))).toBe('');
  });

  test('an operator saw nothing, and a second one who disagrees is refused', () => {
    const story = unknown().settleByOperator('a', 'FAILED').said('a', 'FAILED').said('a', 'SUCCEEDED', 'refused');
    expect(describeViolations(checkHistory(story.told()))).toBe('');
  });

  test('an operator is refused, because the agent has answered first', () => {
    const story = unknown().settle('a', 'EXPIRED').said('a', 'FAILED', 'refused');
    expect(describeViolations(checkHistory(story.told()))).toBe('');
  });
});

describe('bad histories', () => {
  const cases: readonly (readonly [string, () => Story, string])[] = [
    [
      'by the word of an operator who has said nothing',
      () => unknown().settleByOperator('a', 'FAILED'),
      'left OUTCOME_UNKNOWN for FAILED (settled by an operator)',
    ],
    [
      'by an operator as something else than was said',
      () => unknown().said('a', 'FAILED').settleByOperator('a', 'EXPIRED'),
      'left OUTCOME_UNKNOWN for EXPIRED (settled by an operator)',
    ],
    [
      'by a word that was refused',
      () => unknown().said('a', 'FAILED', 'refused').settleByOperator('a', 'FAILED'),
      'left OUTCOME_UNKNOWN for FAILED (settled by an operator)',
    ],
    [
      'by an operator, when its end was known',
      () => new Story().issue('a').step('a', 'EXPIRED').said('a', 'FAILED').settleByOperator('a', 'FAILED'),
      'left EXPIRED for FAILED (settled by an operator)',
    ],
    [
      'by an operator, when the agent had settled it',
      () => unknown().settle('a', 'REJECTED').said('a', 'FAILED').settleByOperator('a', 'FAILED'),
      'left REJECTED for FAILED (settled by an operator)',
    ],
    [
      'by the agent, when an operator had settled it',
      () => unknown().settleByOperator('a', 'FAILED').said('a', 'FAILED').jump('a', 'FAILED', 'EXPIRED', 'settled'),
      'left FAILED for EXPIRED (settled)',
    ],
    [
      'by the agent, where an operator was told that it was by their word',
      () => unknown().said('a', 'FAILED').settle('a', 'FAILED'),
      'was said to be settled as FAILED and ended FAILED (settled)',
    ],
  ];
  test.each(cases)('settled %s', (_, story, breach) => {
    const violations = checkHistory(story().told());
    expect(violations.map(({ invariant }) => invariant)).toContain('I2');
    expect(describeViolations(violations)).toContain(breach);
  });
});
