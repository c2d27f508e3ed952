import {
  type Condition,
  type Definition,
  type ExitOffset,
  type Fault,
  type Operator,
  type Section,
} from './definition.ts';
import { FormReader, type Place, type Range } from './form-reader.ts';
import { normaliseIndicatorName } from './indicator-name.ts';
import { FIELDS } from './json-form.ts';
import type { JsonNode } from './json-tree.ts';

export const OPERATORS: readonly Operator[] = ['>', '>=', '<', '<=', '==', '!='];

/** What a definition may hold at most. */
const CONDITIONS_MAX = 100;
const NAME_CHARS_MAX = 100;
const CONDITION_ID_CHARS_MAX = 64;
const INDICATOR_CHARS_MAX = 100;
const DESCRIPTION_CHARS_MAX = 2_000;
const SPAN_DAYS_MAX = 30;
const TIMEOUT_SECONDS_MAX = SPAN_DAYS_MAX * 86_400;
const COOLDOWN_MINUTES_MAX = SPAN_DAYS_MAX * 1_440;
const LEVERAGE_MAX = 125;
const TARGET_PERCENT_MAX = 100_000;
const MARGIN_MAX = 1e12;
/** Ids of strategies; a name that looks like one could not be told from it. */
const ID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A condition as far as it could be read, and where it stands. */
export interface PlacedCondition {
  readonly section: Section;
  readonly field: string;
  readonly id: string | undefined;
  readonly indicatorId: string | undefined;
  readonly operator: Operator | undefined;
  readonly value: number | undefined;
}

/** What a definition says, as far as it could be read. `definition` is the whole of it only when there are no faults. */
export interface Reading {
  readonly definition: Definition;
  readonly conditions: readonly PlacedCondition[];
  readonly faults: readonly Fault[];
}

/** True for what has the form of an id. */
export function isId(text: string): boolean {
  return ID_FORM.test(text);
}

/** Reads the JSON form and finds everything in it that is malformed, missing, unknown or out of range. */
export function readDefinition(node: JsonNode): Reading {
  const reader = new FormReader();
  const conditions: PlacedCondition[] = [];
  const root = reader.object({ field: '', node }, FIELDS.strategy);
  const conditionsAt = (section: Section, place: Place): Condition[] => {
    const placed = reader.list(place, CONDITIONS_MAX).map((item) => readCondition(reader, section, item));
    conditions.push(...placed);
    return placed.flatMap(({ id, indicatorId, operator, value }) =>
      id === undefined || indicatorId === undefined || operator === undefined || value === undefined
        ? []
        : [{ id, indicatorId, operator, value }],
    );
  };
  const strategyName = readName(reader, root('strategy_name'));
  const description = reader.text(root('description'), { charsMax: DESCRIPTION_CHARS_MAX, prose: true });
  const s1 = reader.object(root('s1_signal'), FIELDS.s1_signal);
  const z1 = reader.object(root('z1_entry'), FIELDS.z1_entry);
  const ze1 = reader.object(root('ze1_close'), FIELDS.ze1_close);
  const o1 = reader.object(root('o1_cancel'), FIELDS.o1_cancel);
  const e1 = reader.object(root('emergency_exit'), FIELDS.emergency_exit);
  const limits = reader.object(root('global_limits'), FIELDS.global_limits);
  const s1Conditions = conditionsAt('s1Signal', s1('conditions'));
  const z1Conditions = conditionsAt('z1Entry', z1('conditions'));
  const positionSize = readPositionSize(reader, z1('positionSize'));
  const stopLoss = readOffset(reader, z1('stopLoss'), { above: 0, below: 100 });
  const takeProfit = readOffset(reader, z1('takeProfit'), { above: 0, max: TARGET_PERCENT_MAX });
  const leverage = reader.number(z1('leverage'), { min: 1, max: LEVERAGE_MAX });
  const ze1Conditions = conditionsAt('ze1Close', ze1('conditions'));
  const o1Conditions = conditionsAt('o1Cancel', o1('conditions'));
  const timeoutSeconds = reader.number(o1('timeoutSeconds'), { min: 0, max: TIMEOUT_SECONDS_MAX });
  const o1Cooldown = reader.number(o1('cooldownMinutes'), { min: 0, max: COOLDOWN_MINUTES_MAX });
  const e1Conditions = conditionsAt('emergencyExit', e1('conditions'));
  const e1Cooldown = reader.number(e1('cooldownMinutes'), { min: 0, max: COOLDOWN_MINUTES_MAX });
  const actions = readActions(reader, e1('actions'));
  const basePositionPct = reader.number(limits('base_position_pct'), { above: 0, max: 1 });
  const maxLeverage = reader.number(limits('max_leverage'), { min: 1, max: LEVERAGE_MAX });
  const stopLossBufferPct = reader.number(limits('stop_loss_buffer_pct'), { min: 0, below: 100 });
  const definition: Definition = {
    strategyName: strategyName ?? '',
    ...(description === undefined ? {} : { description }),
    s1Signal: { conditions: s1Conditions },
    z1Entry: {
      conditions: z1Conditions,
      ...(positionSize === undefined ? {} : { positionSize }),
      ...(stopLoss === undefined ? {} : { stopLoss }),
      ...(takeProfit === undefined ? {} : { takeProfit }),
      ...(leverage === undefined ? {} : { leverage }),
    },
    ze1Close: { conditions: ze1Conditions },
    o1Cancel: {
      conditions: o1Conditions,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(o1Cooldown === undefined ? {} : { cooldownMinutes: o1Cooldown }),
    },
    emergencyExit: {
      conditions: e1Conditions,
      ...(e1Cooldown === undefined ? {} : { cooldownMinutes: e1Cooldown }),
      ...(actions === undefined ? {} : { actions }),
    },
    globalLimits: {
      ...(basePositionPct === undefined ? {} : { basePositionPct }),
      ...(maxLeverage === undefined ? {} : { maxLeverage }),
      ...(stopLossBufferPct === undefined ? {} : { stopLossBufferPct }),
    },
  };
  return { definition, conditions, faults: reader.faults };
}

function readName(reader: FormReader, place: Place): string | undefined {
  const name = reader.text(place, { charsMax: NAME_CHARS_MAX, required: true });
  if (name !== undefined && isId(name)) reader.add(place.field, 'must not look like an id');
  return name;
}

function readCondition(reader: FormReader, section: Section, place: Place): PlacedCondition {
  const at = reader.object(place, FIELDS.condition);
  const indicator = reader.text(at('indicatorId'), { charsMax: INDICATOR_CHARS_MAX, required: true });
  return {
    section,
    field: place.field,
    id: reader.text(at('id'), { charsMax: CONDITION_ID_CHARS_MAX, required: true }),
    indicatorId: indicator === undefined ? undefined : normaliseIndicatorName(indicator),
    operator: reader.choice(at('operator'), OPERATORS),
    value: reader.number(at('value'), {}, { required: true }),
  };
}

function readPositionSize(reader: FormReader, place: Place): Definition['z1Entry']['positionSize'] {
  if (place.node === undefined) return undefined;
  const at = reader.object(place, FIELDS.positionSize);
  const type = reader.choice(at('type'), ['percentage', 'fixed']);
  const max = type === 'percentage' ? 100 : MARGIN_MAX;
  const value = reader.number(at('value'), { above: 0, max }, { required: true });
  return type === undefined || value === undefined ? undefined : { type, value };
}

function readOffset(reader: FormReader, place: Place, range: Range): ExitOffset | undefined {
  if (place.node === undefined) return undefined;
  const at = reader.object(place, FIELDS.exitOffset);
  // Never guessed: a stop that is taken for switched off costs money.
  const enabled = reader.flag(at('enabled'));
  const anywhere = { min: 0, max: TARGET_PERCENT_MAX };
  const required = enabled === true;
  const offsetPercent = reader.number(at('offsetPercent'), required ? range : anywhere, { required });
  return enabled === undefined ? undefined : { enabled, offsetPercent: offsetPercent ?? 0 };
}

function readActions(reader: FormReader, place: Place): Definition['emergencyExit']['actions'] {
  if (place.node === undefined) return undefined;
  const at = reader.object(place, FIELDS.actions);
  const cancelPending = reader.flag(at('cancelPending'));
  const closePosition = reader.flag(at('closePosition'));
  return cancelPending === undefined || closePosition === undefined ? undefined : { cancelPending, closePosition };
}
