import type { Condition, Definition } from './definition.ts';
import { toJsonForm } from './json-form.ts';

/** One difference between two definitions. */
export interface FieldChange {
  /** Path of the JSON form, conditions by their ids, such as `s1_signal.conditions[cond1].value`. */
  readonly path: string;
  /** JSON of the value; empty where it is absent. */
  readonly before: string;
  readonly after: string;
}

/** What changed, in the order of the JSON form; `before` undefined: everything is new. */
export function diffDefinitions(before: Definition | undefined, after: Definition): FieldChange[] {
  const changes: FieldChange[] = [];
  compare('', before === undefined ? undefined : toJsonForm(before), toJsonForm(after), changes);
  return changes;
}

function compare(path: string, before: unknown, after: unknown, changes: FieldChange[]): void {
  if (isList(before) || isList(after)) {
    compareConditions(path, isList(before) ? before : [], isList(after) ? after : [], changes);
  } else if (isRecord(before) || isRecord(after)) {
    const [old, now] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
    for (const key of new Set([...Object.keys(now), ...Object.keys(old)])) {
      compare(path === '' ? key : `${path}.${key}`, old[key], now[key], changes);
    }
  } else if (before !== after) {
    changes.push({ path, before: jsonOf(before), after: jsonOf(after) });
  }
}

/** Added and removed ones are told whole; what is left of both in another order is told as an order of ids. */
function compareConditions(
  path: string,
  before: readonly Condition[],
  after: readonly Condition[],
  changes: FieldChange[],
): void {
  const old = new Map(before.map((condition) => [condition.id, condition]));
  const now = new Map(after.map((condition) => [condition.id, condition]));
  for (const [id, condition] of old) {
    if (!now.has(id)) changes.push({ path: `${path}[${id}]`, before: JSON.stringify(condition), after: '' });
  }
  for (const [id, condition] of now) {
    const known = old.get(id);
    if (known === undefined) changes.push({ path: `${path}[${id}]`, before: '', after: JSON.stringify(condition) });
    else compare(`${path}[${id}]`, known, condition, changes);
  }
  const stayed = (conditions: readonly Condition[]): string[] =>
    conditions.map(({ id }) => id).filter((id) => old.has(id) && now.has(id));
  const [wasOrder, isOrder] = [JSON.stringify(stayed(before)), JSON.stringify(stayed(after))];
  if (wasOrder !== isOrder) changes.push({ path, before: wasOrder, after: isOrder });
}

function isList(value: unknown): value is readonly Condition[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function jsonOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}
