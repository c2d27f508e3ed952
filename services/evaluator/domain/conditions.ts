import type { ConditionResult } from './instance.ts';
import type { Operator, RuleCondition } from './strategy-rules.ts';

/** Operators by the number that stands for them in flat columns. */
export const OPERATORS: readonly Operator[] = ['>', '>=', '<', '<=', '==', '!='];
const GREATER = 0;
const GREATER_OR_EQUAL = 1;
const LESS = 2;
const LESS_OR_EQUAL = 3;
const EQUAL = 4;

/**
 * The conditions of several sections as flat columns, so that looking at them reads numbers only. Section `s` holds the
 * conditions from `starts[s]` up to `starts[s + 1]`.
 */
export interface FlatConditions {
  readonly starts: Int32Array;
  readonly operators: Uint8Array;
  readonly thresholds: Float64Array;
  /** Where each condition's indicator stands among the values. */
  readonly slots: Int32Array;
}

/** Lays sections out flat. `slotOf` tells where an indicator stands among the values. */
export function flatten(
  sections: readonly (readonly RuleCondition[])[],
  slotOf: (indicatorId: string) => number,
): FlatConditions {
  const all = sections.flat();
  const starts = new Int32Array(sections.length + 1);
  sections.forEach((conditions, s) => {
    starts[s + 1] = (starts[s] ?? 0) + conditions.length;
  });
  return {
    starts,
    operators: Uint8Array.from(all, ({ operator }) => OPERATORS.indexOf(operator)),
    thresholds: Float64Array.from(all, ({ value }) => value),
    slots: Int32Array.from(all, ({ indicatorId }) => slotOf(indicatorId)),
  };
}

/** True when section `section` has conditions and all of them hold. NaN, which stands for no value, makes each one false. */
export function holds(flat: FlatConditions, section: number, values: Float64Array): boolean {
  const { starts, operators, thresholds, slots } = flat;
  const start = starts[section] ?? 0;
  const end = starts[section + 1] ?? 0;
  for (let i = start; i < end; i++) {
    if (!compares(operators[i] ?? 0, values[slots[i] ?? 0] ?? Number.NaN, thresholds[i] ?? 0)) return false;
  }
  return end > start;
}

/** True when the value compares as asked; NaN, which stands for no value, never does. */
export function compares(operator: number, actual: number, threshold: number): boolean {
  switch (operator) {
    case GREATER:
      return actual > threshold;
    case GREATER_OR_EQUAL:
      return actual >= threshold;
    case LESS:
      return actual < threshold;
    case LESS_OR_EQUAL:
      return actual <= threshold;
    case EQUAL:
      return actual === threshold;
    default:
      // The one comparison that NaN would pass.
      return actual !== threshold && !Number.isNaN(actual);
  }
}

/** The conditions of a section as they are now, in words that a record keeps. `valueOf` gives NaN for no value. */
export function describe(
  conditions: readonly RuleCondition[],
  valueOf: (indicatorId: string) => number,
  note = '',
): ConditionResult[] {
  return conditions.map(({ id, indicatorId, operator, value }) => {
    const actual = valueOf(indicatorId);
    const missing = Number.isNaN(actual);
    return {
      conditionId: id,
      indicatorId,
      operator,
      value,
      actual: missing ? null : actual,
      result: compares(OPERATORS.indexOf(operator), actual, value),
      note: missing ? 'no value yet' : note,
    };
  });
}
