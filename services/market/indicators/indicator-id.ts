import { CATALOGUE, idPattern } from './catalogue.ts';
import type { Family, Parameter } from './family.ts';

/** An id that can be computed. */
export interface IndicatorId {
  /** Lower case, underscores, every parameter and output written out. */
  readonly normalisedId: string;
  readonly family: Family;
  readonly parameters: readonly number[];
  /** Place of the value among the family's outputs. */
  readonly output: number;
  /** Candles before it has a value. */
  readonly warmUp: number;
}

/** An id that cannot be computed; the message names the closest ones that can. */
export class UnknownIndicatorError extends Error {
  override readonly name = 'UnknownIndicatorError';
  readonly id: string;

  constructor(id: string, fault: string) {
    super(fault);
    this.id = id;
  }
}

const ID_CHARS_MAX = 80;
const NUMBER_FORM = /^\d+(\.\d+)?$/;
const CLOSEST_MAX = 3;

const byLength = CATALOGUE.toSorted((a, b) => b.family.length - a.family.length);

/**
 * Reads an id such as `EMA-20`, `macd_histogram` or `pump_magnitude_pct`. Case, dashes and blanks at the ends do not matter.
 * @throws UnknownIndicatorError
 */
export function parseIndicatorId(id: string): IndicatorId {
  const text = id.trim().toLowerCase().replaceAll('-', '_');
  if (text === '') throw new UnknownIndicatorError(id, 'is empty; write an id such as ema_20');
  if (text.length > ID_CHARS_MAX) throw new UnknownIndicatorError(id, `has more than ${ID_CHARS_MAX} characters`);
  const family = byLength.find((one) => text === one.family || text.startsWith(`${one.family}_`));
  if (family === undefined) {
    throw new UnknownIndicatorError(id, `"${id.trim()}" is not known; closest: ${closestIds(text).join(', ')}`);
  }
  const rest = text.slice(family.family.length + 1);
  const { name, words } = takeOutput(family, rest === '' ? [] : rest.split('_'));
  const refused = (what: string): UnknownIndicatorError =>
    new UnknownIndicatorError(
      id,
      `"${id.trim()}" ${what}; write ${idPattern(family)}, such as ${family.examples.join(' or ')}`,
    );
  const { parameters: known } = family;
  const stray = words.find((word) => !NUMBER_FORM.test(word));
  if (stray !== undefined) throw refused(`has "${stray}" where ${partsText(family)} belongs`);
  if (words.length > known.length) throw refused(`has ${words.length} numbers, ${family.family} takes ${known.length}`);
  const values = known.map((parameter, at) => (words[at] === undefined ? parameter.defaultValue : Number(words[at])));
  for (const [at, parameter] of known.entries()) {
    const fault = valueFault(parameter, values[at] ?? Number.NaN);
    if (fault !== undefined) throw refused(fault);
  }
  const contradiction = family.refuse?.(values);
  if (contradiction !== undefined) throw refused(contradiction);
  const output = name ?? family.defaultOutput;
  if (output === undefined && family.outputs.length > 0) {
    throw refused(`does not say which of ${family.outputs.join(', ')} is meant`);
  }
  return {
    normalisedId: [family.family, ...values.map(String), ...(output === undefined ? [] : [output])].join('_'),
    family,
    parameters: values,
    output: output === undefined ? 0 : family.outputs.indexOf(output),
    warmUp: family.warmUp(values, output ?? ''),
  };
}

/** The id as it is computed: lower case, defaults filled in. @throws UnknownIndicatorError naming the closest known ids. */
export function normaliseIndicatorId(id: string): string {
  return parseIndicatorId(id).normalisedId;
}

/** Ids with equal keys are outputs of one computation. */
export function computationKey({ family, parameters }: IndicatorId): string {
  return [family.family, ...parameters].join('_');
}

/** An output's name may itself hold underscores, so it is taken off the end as a whole. */
function takeOutput(family: Family, words: readonly string[]): { name: string | undefined; words: readonly string[] } {
  const rest = words.join('_');
  const name = family.outputs.find((output) => rest === output || rest.endsWith(`_${output}`));
  return name === undefined ? { name, words } : { name, words: words.slice(0, words.length - name.split('_').length) };
}

function partsText({ parameters, outputs }: Family): string {
  const parts = [...parameters.map(({ name }) => `the number ${name}`), ...(outputs.length > 0 ? ['an output'] : [])];
  return parts.length === 0 ? 'nothing' : parts.join(' or ');
}

function valueFault({ name, minValue, maxValue, whole }: Parameter, value: number): string | undefined {
  if (whole && !Number.isInteger(value)) return `has ${name} ${value}, which must be a whole number`;
  if (value < minValue || value > maxValue) return `has ${name} ${value}, which must be ${minValue} to ${maxValue}`;
  return undefined;
}

/** Examples of the families whose names are nearest. */
function closestIds(text: string): string[] {
  const asked = text.replace(/[\d._]+/g, '');
  return CATALOGUE.map((family) => ({ family, far: distance(asked, family.family.replaceAll('_', '')) }))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, CLOSEST_MAX)
    .map(({ family }) => family.examples[0] ?? family.family);
}

/** Share of differing letters: edit distance over the longer length, less where one is part of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  const share = row[b.length]! / Math.max(a.length, b.length, 1);
  return a !== '' && (b.includes(a) || a.includes(b)) ? share / 2 : share;
}
