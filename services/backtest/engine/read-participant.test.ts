import { expect, test } from 'vitest';
import { readParticipant } from './read-participant.ts';

const condition = (id: string, indicatorId: string, operator: string, value: number) => ({
  id,
  indicatorId,
  operator,
  value,
});

function faultsOf(...conditions: ReturnType<typeof condition>[]): string[] {
  const form = { strategy_name: 'x', s1_signal: { conditions }, z1_entry: {} };
  const { faults } = readParticipant(JSON.stringify(form));
  return faults.flatMap(({ field, description, warning }) => (warning ? [] : [`${field}: ${description}`]));
}

test('two ways of writing one indicator are one, as they are where strategies are stored', () => {
  expect(faultsOf(condition('a', 'rsi_14', '>', 50), condition('b', 'RSI', '<', 40))).toEqual([
    's1_signal.conditions[1]: no value of rsi_14 is < 40 and satisfies a (> 50)',
  ]);
});

test('an indicator that nobody computes is told with everything else that is wrong', () => {
  expect(faultsOf(condition('a', 'rsj_14', '>', 50), condition('a', 'price', '>', 1))).toEqual([
    's1_signal.conditions[0].indicatorId: "rsj_14" is not known; closest: rsi_14, roc_10, price',
    's1_signal.conditions[1].id: "a" is the id of s1_signal.conditions[0] too; ids are unique',
  ]);
});
