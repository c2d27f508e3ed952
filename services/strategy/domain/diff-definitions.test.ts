import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyDefinition } from '../../../test/harness/any-definition.ts';
import { strategyJson } from '../../../test/harness/sample-strategies.ts';
import type { Definition } from './definition.ts';
import { diffDefinitions } from './diff-definitions.ts';
import { toJsonText } from './json-form.ts';
import { parseDefinition } from './parse-definition.ts';

function definition(parts: Readonly<Record<string, unknown>> = {}): Definition {
  const { definition: read, faults } = parseDefinition(strategyJson('x', parts));
  if (read === undefined) throw new Error(JSON.stringify(faults));
  return read;
}

function lines(before: Definition | undefined, after: Definition): string[] {
  return diffDefinitions(before, after).map((change) => `${change.path}: ${change.before} → ${change.after}`);
}

const condition = (id: string, value: number) => ({ id, indicatorId: `ema_${id}`, operator: '>', value });

describe('differences', () => {
  test('of equal definitions are none, and of others are some', () => {
    fc.assert(
      fc.property(anyDefinition, anyDefinition, (one, other) => {
        expect(diffDefinitions(one, structuredClone(one))).toEqual([]);
        expect(diffDefinitions(one, other).length > 0).toBe(toJsonText(one) !== toJsonText(other));
      }),
    );
  });

  test('are told by paths of the JSON form, with both values', () => {
    const after = definition({
      z1_entry: {
        conditions: [{ id: 'entry1', indicatorId: 'rsi_14', operator: '<=', value: 70 }],
        positionSize: { type: 'fixed', value: 2 },
        takeProfit: { enabled: true, offsetPercent: 10 },
        leverage: 2,
      },
      description: 'new',
    });
    expect(lines(definition(), after)).toEqual([
      'description:  → "new"',
      'z1_entry.conditions[entry1].operator: "<" → "<="',
      'z1_entry.positionSize.type: "percentage" → "fixed"',
      'z1_entry.leverage:  → 2',
      'z1_entry.stopLoss.enabled: true → ',
      'z1_entry.stopLoss.offsetPercent: 5 → ',
    ]);
  });

  test('of conditions go by their ids: added, removed, changed, and put in another order', () => {
    const before = definition({ s1_signal: { conditions: [condition('a', 1), condition('b', 2), condition('c', 3)] } });
    const after = definition({ s1_signal: { conditions: [condition('c', 3), condition('b', 5), condition('d', 4)] } });
    expect(lines(before, after)).toEqual([
      's1_signal.conditions[a]: {"id":"a","indicatorId":"ema_a","operator":">","value":1} → ',
      's1_signal.conditions[b].value: 2 → 5',
      's1_signal.conditions[d]:  → {"id":"d","indicatorId":"ema_d","operator":">","value":4}',
      's1_signal.conditions: ["b","c"] → ["c","b"]',
    ]);
  });

  test('of a new definition are all that it says', () => {
    const { strategyName, s1Signal } = definition();
    const bare: Definition = {
      strategyName,
      s1Signal,
      z1Entry: { conditions: [] },
      ze1Close: { conditions: [] },
      o1Cancel: { conditions: [] },
      emergencyExit: { conditions: [] },
      globalLimits: {},
    };
    expect(lines(undefined, bare)).toEqual([
      'strategy_name:  → "x"',
      's1_signal.conditions[cond1]:  → {"id":"cond1","indicatorId":"pump_magnitude_pct","operator":">=","value":5}',
    ]);
  });
});
