import { describe, type FlatConditions, flatten, holds } from './conditions.ts';
import type { ConditionResult, InstanceState } from './instance.ts';
import type { RuleCondition, StrategyRules } from './strategy-rules.ts';

/** Sections with conditions, in the order of the columns of a compiled strategy. */
export const RULE_SECTIONS = ['s1_signal', 'o1_cancel', 'z1_entry', 'ze1_close', 'emergency_exit'] as const;
export type RuleSectionName = (typeof RULE_SECTIONS)[number];

/** A set of sections as bits: those that hold, or those that are looked at. */
export const SECTION_BIT: Readonly<Record<RuleSectionName, number>> = {
  s1_signal: 1,
  o1_cancel: 2,
  z1_entry: 4,
  ze1_close: 8,
  emergency_exit: 16,
};

/** A strategy as it is evaluated: times in milliseconds, conditions laid out flat by `bind`. */
export interface CompiledStrategy {
  readonly name: string;
  /** Every indicator that some condition looks at, once, in lower case. */
  readonly indicatorIds: readonly string[];
  readonly conditions: Readonly<Record<RuleSectionName, readonly RuleCondition[]>>;
  /** Null: no timeout. */
  readonly timeoutMs: number | null;
  readonly cancelCooldownMs: number;
  readonly emergencyCooldownMs: number;
  /** Whether E1 gives signals and entries up, and whether it closes positions. */
  readonly cancelPending: boolean;
  readonly closePosition: boolean;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** Works out once what evaluation needs of a definition. The definition is expected to have been validated. */
export function compileStrategy(rules: StrategyRules): CompiledStrategy {
  const conditions = {
    s1_signal: conditionsOf(rules.s1Signal),
    o1_cancel: conditionsOf(rules.o1Cancel),
    z1_entry: conditionsOf(rules.z1Entry),
    ze1_close: conditionsOf(rules.ze1Close),
    emergency_exit: conditionsOf(rules.emergencyExit),
  };
  const timeoutSeconds = rules.o1Cancel?.timeoutSeconds ?? 0;
  const actions = rules.emergencyExit?.actions ?? { cancelPending: true, closePosition: true };
  return {
    name: rules.strategyName,
    indicatorIds: [...new Set(RULE_SECTIONS.flatMap((name) => conditions[name].map((c) => c.indicatorId)))],
    conditions,
    // However short, it is one: rounded to 0 it would be none.
    timeoutMs: timeoutSeconds > 0 ? Math.max(1, Math.round(timeoutSeconds * SECOND_MS)) : null,
    cancelCooldownMs: Math.round((rules.o1Cancel?.cooldownMinutes ?? 0) * MINUTE_MS),
    emergencyCooldownMs: Math.round((rules.emergencyExit?.cooldownMinutes ?? 0) * MINUTE_MS),
    cancelPending: actions.cancelPending,
    closePosition: actions.closePosition,
  };
}

function conditionsOf(section: { readonly conditions: readonly RuleCondition[] } | undefined): RuleCondition[] {
  return (section?.conditions ?? []).map((condition) => ({
    ...condition,
    indicatorId: normalised(condition.indicatorId),
  }));
}

function normalised(indicatorId: string): string {
  return indicatorId
    .trim()
    .toLowerCase()
    .replaceAll(/[-\s]+/g, '_');
}

/** The conditions with their places among a symbol's values. */
export function bind(strategy: CompiledStrategy, slotOf: (indicatorId: string) => number): FlatConditions {
  return flatten(
    RULE_SECTIONS.map((name) => strategy.conditions[name]),
    slotOf,
  );
}

/** The sections that are looked at in a state, as bits. */
export function sectionsOf(strategy: CompiledStrategy, state: InstanceState): number {
  const { s1_signal, o1_cancel, z1_entry, ze1_close, emergency_exit } = SECTION_BIT;
  const pending = strategy.cancelPending ? emergency_exit : 0;
  switch (state) {
    case 'MONITORING':
      return s1_signal;
    case 'SIGNAL_DETECTED':
      return pending | o1_cancel | z1_entry;
    case 'ENTRY_EVALUATION':
      return pending;
    case 'POSITION_ACTIVE':
      return ze1_close | (strategy.closePosition ? emergency_exit : 0);
    case 'SIGNAL_CANCELLED':
    case 'EMERGENCY_EXIT':
    case 'EXITED':
      return 0;
    default:
      return unknownState(state);
  }
}

/** Which of the `looked` sections hold, as bits. */
export function truthOf(flat: FlatConditions, looked: number, values: Float64Array): number {
  let truth = 0;
  for (let section = 0; section < RULE_SECTIONS.length; section++) {
    const bit = 1 << section;
    if ((looked & bit) !== 0 && holds(flat, section, values)) truth |= bit;
  }
  return truth;
}

/** The conditions of a section as they are now. */
export function inputsOf(
  strategy: CompiledStrategy,
  section: RuleSectionName,
  valueOf: (indicatorId: string) => number,
  note = '',
): ConditionResult[] {
  return describe(strategy.conditions[section], valueOf, note);
}

function unknownState(state: never): never {
  throw new Error(`no such instance state: ${String(state)}`);
}
