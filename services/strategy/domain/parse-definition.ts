import { messageOf } from '../../platform/errors.ts';
import type { Fault } from './definition.ts';
import { type IndicatorVerdict, type Judgement, judge } from './judge-definition.ts';
import { readJsonTree } from './json-tree.ts';
import { type Reading, readDefinition } from './read-definition.ts';

/** The largest strategy in the JSON form. */
export const JSON_CHARS_MAX = 131_072;

/** Reads the JSON form; a text that is no JSON at all is one fault of the whole. */
export function readJson(json: string): Reading | { readonly fault: Fault } {
  if (json.length > JSON_CHARS_MAX) {
    return { fault: wholeFault(`must have at most ${JSON_CHARS_MAX} characters, has ${json.length}`) };
  }
  try {
    return readDefinition(readJsonTree(json));
  } catch (thrown) {
    return { fault: wholeFault(messageOf(thrown)) };
  }
}

/**
 * Reads a strategy in the JSON form, snake_case and camelCase alike, and finds every fault at once. The definition is there when
 * nothing but warnings stands against it. Whether an indicator exists is known to the market service alone: `verdictOf` brings
 * its word, and without it any indicator is taken.
 */
export function parseDefinition(json: string, verdictOf?: (indicatorId: string) => IndicatorVerdict): Judgement {
  const reading = readJson(json);
  if ('fault' in reading) return { faults: [reading.fault] };
  if (verdictOf === undefined) return judge(reading);
  const ids = reading.conditions.flatMap(({ indicatorId }) => indicatorId ?? []);
  return judge(reading, new Map(ids.map((id) => [id, verdictOf(id)])));
}

function wholeFault(description: string): Fault {
  return { field: '', description, warning: false };
}
