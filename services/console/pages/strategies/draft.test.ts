import { describe, expect, test } from 'vitest';
import { conditionsOf, draftOf, EMPTY_DRAFT, newConditionId, textOf, valueAt, withValue } from './draft.ts';

describe('a draft', () => {
  test('is the same after a way through text', () => {
    expect(draftOf(textOf(EMPTY_DRAFT))).toEqual(EMPTY_DRAFT);
  });

  test('reads both ways of writing names', () => {
    const draft = draftOf(
      '{"strategyName":"a","s1Signal":{"conditions":[{"id":"c","indicator_id":"rsi_14","operator":"<","value":30}]},"z1Entry":{"stop_loss":{"enabled":true,"offset_percent":5}},"globalLimits":{"maxLeverage":3}}',
    );
    expect(draft).toEqual({
      strategy_name: 'a',
      s1_signal: { conditions: [{ id: 'c', indicatorId: 'rsi_14', operator: '<', value: 30 }] },
      z1_entry: { stopLoss: { enabled: true, offsetPercent: 5 } },
      global_limits: { max_leverage: 3 },
    });
  });

  test('refuses what is no object', () => {
    expect(() => draftOf('[]')).toThrow(TypeError);
    expect(() => draftOf('{')).toThrow(SyntaxError);
  });

  test('keeps what the builder does not know when something else is changed', () => {
    const draft = draftOf('{"strategy_name":"a","own":1,"z1_entry":{"conditions":[],"mine":2}}');
    const changed = withValue(draft, ['z1_entry', 'leverage'], 3);
    expect(changed).toEqual({ strategy_name: 'a', own: 1, z1_entry: { conditions: [], mine: 2, leverage: 3 } });
    expect(withValue(changed, ['z1_entry', 'leverage'], undefined)).toEqual(draft);
  });

  test('gives conditions ids of their own', () => {
    const draft = withValue(EMPTY_DRAFT, ['s1_signal', 'conditions'], [{ id: 'cond1' }]);
    expect(newConditionId(draft)).toBe('cond2');
    expect(conditionsOf(draft, 's1_signal')).toEqual([{ id: 'cond1' }]);
    expect(valueAt(draft, ['s1_signal', 'conditions', 0, 'id'])).toBe('cond1');
  });
});
