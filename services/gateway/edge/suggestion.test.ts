import { describe, expect, test } from 'vitest';
import { editDistance, nearestName } from './suggestion.ts';

describe('nearestName', () => {
  const known = ['executor', 'requestId', 'openPosition', 'closePosition', 'notAfter', 'lane'];

  test.each([
    ['executer', 'executor'],
    ['request_ID', 'requestId'],
    ['open-position', 'openPosition'],
    ['positionClose', undefined],
    ['createdAt', undefined],
    ['id', undefined],
    ['lanes', 'lane'],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%s → %s', (given, expected) => {
    expect(nearestName(given, known)).toBe(expected);
  });
});

test('editDistance counts insertions, deletions and replacements', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('same', 'same')).toBe(0);
});
