import { Decimal } from 'decimal.js';
import { contradiction } from './contradictions.ts';
import { type Definition, type Fault, SECTION_NAMES, SECTIONS, type Section } from './definition.ts';
import type { PlacedCondition, Reading } from './read-definition.ts';

/** What is known of an indicator. */
export interface IndicatorVerdict {
  /** One name for all ways of writing it; empty when it is unknown. */
  readonly canonicalId: string;
  /** Why it is unknown; empty when it is known. */
  readonly fault: string;
}

export type IndicatorVerdicts = ReadonlyMap<string, IndicatorVerdict>;

/** A definition, when nothing but warnings stands against it, and all that does. */
export interface Judgement {
  readonly definition?: Definition;
  readonly faults: readonly Fault[];
}

/** Adds to what the reading found everything that is wrong between the fields. Without verdicts any indicator is taken. */
export function judge(reading: Reading, verdicts?: IndicatorVerdicts): Judgement {
  const faults = [
    ...reading.faults,
    ...unknownIndicators(reading.conditions, verdicts),
    ...repeatedIds(reading.conditions),
    ...contradictions(reading.conditions, verdicts),
    ...sizeFaults(reading),
    ...leverageFaults(reading.definition),
    ...neverFiring(reading),
  ];
  return faults.some(({ warning }) => !warning) ? { faults } : { definition: reading.definition, faults };
}

function wrong(field: string, description: string): Fault {
  return { field, description, warning: false };
}

function odd(field: string, description: string): Fault {
  return { field, description, warning: true };
}

function unknownIndicators(conditions: readonly PlacedCondition[], verdicts: IndicatorVerdicts | undefined): Fault[] {
  return conditions.flatMap(({ field, indicatorId }) => {
    const fault = indicatorId === undefined ? undefined : verdicts?.get(indicatorId)?.fault;
    return fault === undefined || fault === '' ? [] : [wrong(`${field}.indicatorId`, fault)];
  });
}

function repeatedIds(conditions: readonly PlacedCondition[]): Fault[] {
  const first = new Map<string, string>();
  return conditions.flatMap(({ field, id }) => {
    if (id === undefined) return [];
    const before = first.get(id);
    if (before !== undefined) return [wrong(`${field}.id`, `"${id}" is the id of ${before} too; ids are unique`)];
    first.set(id, field);
    return [];
  });
}

function contradictions(conditions: readonly PlacedCondition[], verdicts: IndicatorVerdicts | undefined): Fault[] {
  return SECTIONS.flatMap((section) => {
    const groups = Map.groupBy(
      comparable(conditions, section),
      ({ indicatorId }) =>
        // Two ways of writing one indicator are one.
        verdicts?.get(indicatorId)?.canonicalId || indicatorId,
    );
    return [...groups].flatMap(([indicatorId, comparisons]) => {
      const found = contradiction(comparisons);
      if (found === undefined) return [];
      const { last, against } = found;
      const others = against.map(({ id, operator, value }) => `${id} (${operator} ${value})`).join(' and ');
      return [
        wrong(last.field, `no value of ${indicatorId} is ${last.operator} ${last.value} and satisfies ${others}`),
      ];
    });
  });
}

function comparable(conditions: readonly PlacedCondition[], section: Section) {
  return conditions.flatMap(({ section: own, field, id, indicatorId, operator, value }) =>
    own !== section || indicatorId === undefined || operator === undefined || value === undefined
      ? []
      : [{ field, id: id ?? field, indicatorId, operator, value }],
  );
}

function sizeFaults({ definition, conditions, faults }: Reading): Fault[] {
  const { z1Entry, globalLimits } = definition;
  const field = `${SECTION_NAMES.z1Entry}.positionSize`;
  const misread = faults.some((fault) => fault.field.startsWith(field) || fault.field.endsWith('base_position_pct'));
  const enters = conditions.some(({ section }) => section === 'z1Entry');
  if (enters && !misread && z1Entry.positionSize === undefined && globalLimits.basePositionPct === undefined) {
    return [wrong(field, 'there is no size: give it, or global_limits.base_position_pct')];
  }
  return [];
}

function leverageFaults({ z1Entry, globalLimits }: Definition): Fault[] {
  const { leverage = 1, stopLoss } = z1Entry;
  const { maxLeverage = 1, stopLossBufferPct = 0 } = globalLimits;
  const faults: Fault[] = [];
  if (leverage > maxLeverage) {
    const limit =
      globalLimits.maxLeverage === undefined ? 'which is 1 where it is not given' : `which is ${maxLeverage}`;
    faults.push(
      wrong(`${SECTION_NAMES.z1Entry}.leverage`, `${leverage} is above global_limits.max_leverage, ${limit}`),
    );
  }
  // offset/100 ≤ (1/leverage) × (1 − buffer/100), without a division that could round.
  const reach = new Decimal(100).minus(stopLossBufferPct);
  if (stopLoss?.enabled === true && new Decimal(stopLoss.offsetPercent).times(leverage).gt(reach)) {
    const largest = reach.div(leverage).toDecimalPlaces(4, Decimal.ROUND_DOWN).toString();
    faults.push(
      wrong(
        `${SECTION_NAMES.z1Entry}.stopLoss.offsetPercent`,
        `${stopLoss.offsetPercent} is too near to liquidation with leverage ${leverage} and a stop_loss_buffer_pct of ${stopLossBufferPct}; write at most ${largest}`,
      ),
    );
  }
  return faults;
}

function neverFiring({ definition, conditions }: Reading): Fault[] {
  const empty = (section: Section): boolean => !conditions.some((each) => each.section === section);
  const { z1Entry, emergencyExit } = definition;
  const faults: Fault[] = [];
  if (empty('s1Signal')) {
    faults.push(odd(SECTION_NAMES.s1Signal, 'has no conditions, so the strategy can never signal'));
  }
  if (empty('z1Entry')) {
    faults.push(odd(SECTION_NAMES.z1Entry, 'has no conditions, so the strategy can never enter'));
  }
  if (empty('ze1Close') && z1Entry.stopLoss?.enabled !== true && z1Entry.takeProfit?.enabled !== true) {
    const closes = !empty('emergencyExit') && emergencyExit.actions?.closePosition !== false;
    const rest = closes ? 'only an emergency exit closes a position' : 'nothing ever closes a position';
    faults.push(
      odd(SECTION_NAMES.ze1Close, `has no conditions and there is neither stop loss nor take profit: ${rest}`),
    );
  }
  const actions = emergencyExit.actions;
  if (!empty('emergencyExit') && actions?.cancelPending === false && !actions.closePosition) {
    faults.push(odd(`${SECTION_NAMES.emergencyExit}.actions`, 'are both false, so the emergency exit can never fire'));
  }
  return faults;
}
