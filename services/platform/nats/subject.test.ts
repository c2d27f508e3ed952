import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  executorChangedSubject,
  executorReviewSubject,
  executorWakeSubject,
  executorWakeSubjects,
  historySubject,
  subjectId,
  subjectToken,
} from './subject.ts';

describe('subjects', () => {
  test('are readable for plain ids', () => {
    expect(executorWakeSubject('0198-ab')).toBe('strategos.wake.0198-ab');
    expect(executorReviewSubject('x')).toBe('strategos.review.x');
    expect(historySubject('main')).toBe('strategos.history.main');
    expect(executorChangedSubject('main')).toBe('strategos.executor.main');
    expect(executorWakeSubjects()).toBe('strategos.wake.*');
  });

  test.each(['*', '>', 'a.b', 'a b', 'a\r\nPUB x 0', 'é', '=2e'])('keep "%s" inside one plain token', (id) => {
    expect(subjectToken(id)).toMatch(/^[A-Za-z0-9_=-]+$/);
  });

  test('give different ids different tokens, and the id back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (id) => {
        expect(subjectId(executorWakeSubject(id))).toBe(id);
      }),
    );
  });

  test('refuse an empty id', () => {
    expect(() => historySubject('')).toThrow('empty id');
  });
});
