import * as fc from 'fast-check';
import type { Condition, Definition } from '../../services/strategy/domain/definition.ts';
import { OPERATORS } from '../../services/strategy/domain/read-definition.ts';

/** Letters of any script, without blanks at the ends. */
const word = fc
  .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  .filter((text) => /^[^\p{C}\p{Zl}\p{Zp}]*$/u.test(text) && text.trim() === text && text !== '' && text.length <= 40);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));

function between(min: number, max: number): fc.Arbitrary<number> {
  return fc.double({ min, max, noNaN: true }).map((value) => (value === 0 ? 0 : value));
}

const indicatorId = fc.constantFrom('price', 'rsi_14', 'pump_magnitude_pct', 'macd_12_26_9_histogram');

/** One condition an indicator: nothing can contradict itself. Ids are given below. */
const conditions = fc.uniqueArray(fc.record({ indicatorId, operator: fc.constantFrom(...OPERATORS), value: finite }), {
  maxLength: 4,
  selector: (condition) => condition.indicatorId,
});

const offset = fc.record({ enabled: fc.boolean(), offsetPercent: between(0.1, 50) });

/** Any definition that has no fault. */
export const anyDefinition: fc.Arbitrary<Definition> = fc
  .record({
    name: word,
    description: fc.option(word, { nil: undefined }),
    sections: fc.tuple(conditions, conditions, conditions, conditions, conditions),
    entry: fc.record(
      {
        positionSize: fc.oneof(
          fc.record({ type: fc.constant('percentage' as const), value: between(0.001, 100) }),
          fc.record({ type: fc.constant('fixed' as const), value: between(0.001, 1e9) }),
        ),
        stopLoss: offset,
        takeProfit: offset,
        leverage: fc.constant(1),
      },
      { requiredKeys: [] },
    ),
    cancel: fc.record({ timeoutSeconds: between(0, 86_400), cooldownMinutes: between(0, 1_440) }, { requiredKeys: [] }),
    emergency: fc.record(
      {
        cooldownMinutes: between(0, 1_440),
        actions: fc.record({ cancelPending: fc.boolean(), closePosition: fc.boolean() }),
      },
      { requiredKeys: [] },
    ),
    limits: fc.record({ maxLeverage: between(1, 125), stopLossBufferPct: between(0, 50) }, { requiredKeys: [] }),
    basePositionPct: between(0.0001, 1),
  })
  .map(({ name, description, sections, entry, cancel, emergency, limits, basePositionPct }) => {
    const [s1, z1, ze1, o1, e1] = sections.map((section, index) =>
      section.map((condition, at): Condition => ({ id: `c${index}-${at}`, ...condition })),
    );
    return {
      strategyName: name,
      ...(description === undefined ? {} : { description }),
      s1Signal: { conditions: s1 ?? [] },
      z1Entry: { conditions: z1 ?? [], ...entry },
      ze1Close: { conditions: ze1 ?? [] },
      o1Cancel: { conditions: o1 ?? [], ...cancel },
      emergencyExit: { conditions: e1 ?? [], ...emergency },
      globalLimits: { ...limits, basePositionPct },
    };
  });
