import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bind, compileStrategy, RULE_SECTIONS, SECTION_BIT, truthOf } from './compiled-strategy.ts';
import { describe as describeConditions } from './conditions.ts';
import type { Operator, RuleCondition } from './strategy-rules.ts';

const IDS = ['price', 'rsi_14', 'pump_magnitude_pct'];
const ALL = Object.values(SECTION_BIT).reduce((all, bit) => all | bit, 0);

const COMPARISONS: Readonly<Record<Operator, (actual: number, value: number) => boolean>> = {
  '>': (actual, value) => actual > value,
  '>=': (actual, value) => actual >= value,
  '<': (actual, value) => actual < value,
  '<=': (actual, value) => actual <= value,
  '==': (actual, value) => actual === value,
  '!=': (actual, value) => actual !== value,
};

/** Real comparisons and NaN; few enough numbers to be equal now and then, and -0 to be told from nothing. */
const value = fc.oneof(
  fc.constantFrom(-1, -0, 0, 0.1, 0.30000000000000004, 1, 5),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const conditions = fc.array(
  fc.record({
    id: fc.string(),
    indicatorId: fc.constantFrom(...IDS),
    operator: fc.constantFrom<Operator>('>', '>=', '<', '<=', '==', '!='),
    value,
  }),
  { maxLength: 5 },
);

function plainly(section: readonly RuleCondition[], values: ReadonlyMap<string, number>): boolean {
  return (
    section.length > 0 &&
    section.every((condition) => {
      const actual = values.get(condition.indicatorId) ?? Number.NaN;
      return !Number.isNaN(actual) && COMPARISONS[condition.operator](actual, condition.value);
    })
  );
}

function at(indicatorId: string) {
  return { conditions: [{ id: 'c', indicatorId, operator: '>', value: 1 } as const] };
}

describe('flat conditions', () => {
  test('are true where the written ones are, in any order of the values, and say so one by one', () => {
    fc.assert(
      fc.property(
        fc.tuple(conditions, conditions, conditions, conditions, conditions),
        fc.array(fc.oneof(value, fc.constant(Number.NaN)), { minLength: IDS.length, maxLength: IDS.length }),
        fc.shuffledSubarray(IDS, { minLength: IDS.length }),
        ([s1, o1, z1, ze1, e1], numbers, order) => {
          const strategy = compileStrategy({
            strategyName: 'any',
            s1Signal: { conditions: s1 },
            o1Cancel: { conditions: o1 },
            z1Entry: { conditions: z1 },
            ze1Close: { conditions: ze1 },
            emergencyExit: { conditions: e1 },
          });
          const values = new Map(order.map((id, i) => [id, numbers[i] ?? Number.NaN]));
          const flat = bind(strategy, (id) => order.indexOf(id));
          const truth = truthOf(flat, ALL, Float64Array.from(numbers));
          const sections = { s1_signal: s1, o1_cancel: o1, z1_entry: z1, ze1_close: ze1, emergency_exit: e1 };
          for (const name of RULE_SECTIONS) {
            const expected = plainly(sections[name], values);
            expect({ name, holds: (truth & SECTION_BIT[name]) !== 0 }).toEqual({ name, holds: expected });
            const told = describeConditions(strategy.conditions[name], (id) => values.get(id) ?? Number.NaN);
            expect(told.length > 0 && told.every(({ result }) => result)).toBe(expected);
            expect(told.every(({ actual, note }) => (actual === null) === (note === 'no value yet'))).toBe(true);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('name each indicator once, in one form', () => {
    const strategy = compileStrategy({
      strategyName: 's',
      s1Signal: at('RSI-14'),
      z1Entry: at(' rsi 14 '),
      ze1Close: at('price'),
    });
    expect(strategy.indicatorIds).toEqual(['rsi_14', 'price']);
  });
});

function timeoutOf(timeoutSeconds: number): number | null {
  return compileStrategy({ strategyName: 't', o1Cancel: { conditions: [], timeoutSeconds } }).timeoutMs;
}

test('a timeout below a millisecond is one, and not none', () => {
  expect([0, 0.0001, 0.0006, 90].map(timeoutOf)).toEqual([null, 1, 1, 90_000]);
});
