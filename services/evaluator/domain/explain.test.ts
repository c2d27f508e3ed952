import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import { newInstance } from './instance.ts';
import type { StoredInstance } from './stored-instance.ts';
import type { Operator } from './strategy-rules.ts';

const INSTANCE: StoredInstance = {
  id: 'i',
  accountId: 'a',
  sessionId: 's',
  strategyId: 'x',
  strategyName: 'x',
  symbol: 'BTC_USDT',
  pinPolicy: 'PINNED',
  status: 'ACTIVE',
  wantedRevision: 1,
  runningRevision: 1,
  fault: '',
  paused: false,
  replicaId: 'evaluator-0',
  leaseEpoch: 1,
  freshness: 'FRESH',
  evaluatedSequence: 1,
  evaluatedMs: 0,
  data: newInstance('i', 1),
};

function waitsFor(indicatorId: string, actual: number, operator: Operator, value: number): string {
  const condition = { conditionId: 'c', indicatorId, operator, value, actual, result: false, note: '' };
  const sections = [{ section: 's1_signal', active: true, conditions: [condition] }] as const;
  const { data } = INSTANCE;
  return explain(INSTANCE, { data, freshness: 'FRESH', evaluatedMs: 0, paused: false, sections, valuesKnown: true });
}

test.each<[string, number, Operator, number, string]>([
  ['pump_magnitude_pct', 1.23456789, '>=', 5, 'pump_magnitude_pct is 1.23457, must be >= 5'],
  ['price', 17208.88, '>=', 17208.9, 'price is 17208.88, must be >= 17208.9'],
  ['price', 17208.9, '>', 17208.9, 'price is 17208.9, must be > 17208.9'],
  ['rsi_14', 69.99999991, '>=', 70, 'rsi_14 is 69.9999999, must be >= 70'],
  ['sma_20', 0.10000000000000002, '==', 0.1, 'sma_20 is 0.10000000000000002, must be == 0.1'],
  ['price', 123456.7, '<', 123456.7, 'price is 123456.7, must be < 123456.7'],
])('%s of %d is not shown as a number that is %s %d', (indicatorId, actual, operator, value, sentence) => {
  expect(waitsFor(indicatorId, actual, operator, value)).toBe(`waits for s1_signal: ${sentence}`);
});

test('a position without conditions to close it is not said to wait for them for ever', () => {
  const data = {
    ...INSTANCE.data,
    state: 'POSITION_ACTIVE',
    position: { price: '90', quantity: '2', entryMs: 0 },
  } as const;
  const sections = [{ section: 'ze1_close', active: true, conditions: [] }] as const;
  const view = { data, freshness: 'FRESH', evaluatedMs: 0, paused: false, sections, valuesKnown: true } as const;
  expect(explain({ ...INSTANCE, data }, view)).toBe(
    'holds 2 entered at 90; ze1_close has no conditions, so a stop, a target, an emergency exit or an operator ends it',
  );
});
