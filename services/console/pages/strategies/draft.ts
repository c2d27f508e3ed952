import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

/**
 * A strategy while it is edited: the JSON form itself, so that builder and text are two views of one thing, and what the builder
 * does not know is kept. The service alone says what is wrong with it.
 */
export type Draft = JsonObject;

/** The five sections in the order in which an instance meets them. */
export const SECTIONS = [
  { name: 's1_signal', title: 'S1 signal', about: 'All true while monitoring: a signal is detected.' },
  { name: 'o1_cancel', title: 'O1 cancel', about: 'All true, or the timeout: the signal is given up.' },
  { name: 'z1_entry', title: 'Z1 entry', about: 'All true after a signal: a position is entered.' },
  { name: 'ze1_close', title: 'ZE1 close', about: 'All true in a position: it is closed.' },
  {
    name: 'emergency_exit',
    title: 'E1 emergency exit',
    about: 'Looked at first, wherever there is something to give up or close.',
  },
] as const;

export const OPERATORS = ['>', '>=', '<', '<=', '==', '!='] as const;

export const EMPTY_DRAFT: Draft = {
  strategy_name: '',
  s1_signal: { conditions: [] },
  z1_entry: { conditions: [], positionSize: { type: 'percentage', value: 2 } },
  ze1_close: { conditions: [] },
  o1_cancel: { timeoutSeconds: 300, conditions: [] },
  emergency_exit: { conditions: [], actions: { cancelPending: true, closePosition: true } },
  global_limits: { base_position_pct: 0.02, max_leverage: 1 },
};

const CAMEL_CASE = new Set([
  'indicatorId',
  'positionSize',
  'stopLoss',
  'takeProfit',
  'offsetPercent',
  'timeoutSeconds',
  'cooldownMinutes',
  'cancelPending',
  'closePosition',
]);

/** Keys as the service writes them: it reads both snake_case and camelCase. */
export function withUsualKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withUsualKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [usualKey(key), withUsualKeys(inner)]));
}

function usualKey(key: string): string {
  const camel = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return CAMEL_CASE.has(camel) ? camel : camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The draft that a text holds. @throws SyntaxError for what is no JSON, TypeError for what is no object. */
export function draftOf(text: string): Draft {
  const value: JsonValue = JSON.parse(text);
  const usual = withUsualKeys(value);
  if (!isObject(usual)) throw new TypeError('a strategy is a JSON object');
  return usual;
}

export function textOf(draft: Draft): string {
  return JSON.stringify(draft, null, 2);
}

/** The value at a path, undefined where there is none. */
export function valueAt(draft: JsonValue | undefined, path: readonly (string | number)[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((at, part) => {
    if (Array.isArray(at)) return typeof part === 'number' ? at[part] : undefined;
    return isObject(at) ? at[part] : undefined;
  }, draft);
}

/** The draft with another value at a path; undefined takes the key out. */
export function withValue(draft: Draft, path: readonly string[], value: JsonValue | undefined): Draft {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    const { [key]: _, ...others } = draft;
    if (value === undefined) return others;
    return key in draft ? { ...draft, [key]: value } : { ...others, [key]: value };
  }
  const inner = draft[key];
  return { ...draft, [key]: withValue(isObject(inner) ? inner : {}, rest, value) };
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The conditions of a section; what is none is left out of the builder, not out of the draft. */
export function conditionsOf(draft: Draft, section: string): readonly JsonObject[] {
  const conditions = valueAt(draft, [section, 'conditions']);
  return Array.isArray(conditions) ? conditions.filter(isObject) : [];
}

/** An id that no condition of the draft has yet. */
export function newConditionId(draft: Draft): string {
  const taken = new Set(SECTIONS.flatMap(({ name }) => conditionsOf(draft, name).map(({ id }) => id)));
  for (let number = 1; ; number += 1) if (!taken.has(`cond${number}`)) return `cond${number}`;
}
