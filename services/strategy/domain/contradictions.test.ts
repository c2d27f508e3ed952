import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Comparison, contradiction } from './contradictions.ts';
import { OPERATORS } from './read-definition.ts';

function compares(x: number, { operator, value }: Comparison): boolean {
  switch (operator) {
    case '>':
      return x > value;
    case '>=':
      return x >= value;
    case '<':
      return x < value;
    case '<=':
      return x <= value;
    case '==':
      return x === value;
    case '!=':
      return x !== value;
    default:
      return operator satisfies never;
  }
}

function comparisons(...texts: readonly string[]): Comparison[] {
  return texts.map((text, index) => {
    const [symbol, value] = text.split(' ');
    const operator = OPERATORS.find((each) => each === symbol);
    if (operator === undefined) throw new Error(`no operator in "${text}"`);
    return { id: `c${index}`, operator, value: Number(value) };
  });
}

function idsOf(found: ReturnType<typeof contradiction>): string | undefined {
  return found === undefined ? undefined : `${found.last.id} against ${found.against.map(({ id }) => id).join(', ')}`;
}

describe('comparisons of one indicator', () => {
  test.each([
    [['> 5', '< 3'], 'c1 against c0'],
    [['> 5', '< 5'], 'c1 against c0'],
    [['>= 5', '< 5'], 'c1 against c0'],
    [['> 5', '<= 5'], 'c1 against c0'],
    [['== 5', '== 6'], 'c1 against c0'],
    [['== 5', '!= 5'], 'c1 against c0'],
    [['== 5', '> 5'], 'c1 against c0'],
    [['< 9', '> 5', '!= 7', '< 4'], 'c3 against c1'],
    [['>= 5', '<= 5', '!= 5'], 'c2 against c0, c1'],
    [['!= 5', '>= 5', '<= 5'], 'c2 against c0, c1'],
  ])('%j leave no value', (texts, expected) => {
    expect(idsOf(contradiction(comparisons(...texts)))).toBe(expected);
  });

  test.each([[['>= 5', '<= 5']], [['> 5', '> 3']], [['!= 5', '!= 6']], [['== 5', '>= 5', '<= 9', '!= 4']], [[]]])(
    '%j leave some',
    (texts) => {
      expect(contradiction(comparisons(...texts))).toBeUndefined();
    },
  );

  test('contradict each other exactly when no number satisfies all of them', () => {
    const comparison = fc.record({
      id: fc.constant('c'),
      operator: fc.constantFrom(...OPERATORS),
      value: fc.integer({ min: -3, max: 3 }),
    });
    // Between and beyond whole numbers, halves stand for all others.
    const candidates = Array.from({ length: 19 }, (_, index) => -4.5 + index / 2);
    fc.assert(
      fc.property(fc.array(comparison, { maxLength: 6 }), (all) => {
        const possible = candidates.some((x) => all.every((each) => compares(x, each)));
        const found = contradiction(all);
        expect(found === undefined).toBe(possible);
        if (found === undefined) return;
        // What is named is contradictory by itself.
        const named = [...found.against, found.last];
        expect(candidates.some((x) => named.every((each) => compares(x, each)))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
