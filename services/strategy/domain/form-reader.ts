import { Decimal } from 'decimal.js';
import { closestTo } from './closest.ts';
import type { Fault } from './definition.ts';
import type { JsonNode } from './json-tree.ts';

/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
/** As above, with line breaks and tabs. */
const PROSE = /^(?:[^\p{C}\p{Zl}\p{Zp}]|[\n\t])*$/u;
const SHOWN_CHARS_MAX = 40;

/** A value and where it stands; `node` undefined where it is absent or null. */
export interface Place {
  readonly field: string;
  readonly node: JsonNode | undefined;
}

/** Bounds of a number: `above` excludes its own value, `min`, `max` and `below` as they say. */
export interface Range {
  readonly above?: number;
  readonly min?: number;
  readonly max?: number;
  readonly below?: number;
}

export interface TextRules {
  readonly charsMax: number;
  readonly required?: boolean;
  /** Line breaks and blanks at the ends are allowed. */
  readonly prose?: boolean;
}

/** Reads values out of a tree and gathers everything that is wrong with them. */
export class FormReader {
  readonly faults: Fault[] = [];

  add(field: string, description: string): void {
    this.faults.push({ field, description, warning: false });
  }

  /** The members of an object by their exported names; snake_case and camelCase both name them. Absent objects have none. */
  object<Name extends string>({ field, node }: Place, names: readonly Name[]): (name: Name) => Place {
    const found = new Map<string, JsonNode>();
    if (node !== undefined && node.kind !== 'object') this.add(field, `must be an object, is ${shown(node)}`);
    for (const { key, node: value } of node?.kind === 'object' ? node.members : []) {
      const name = names.find((known) => known === key || snakeCase(known) === key || camelCase(known) === key);
      if (name === undefined) this.add(joined(field, key), unknownField(key, names));
      else if (found.has(name)) this.add(joined(field, name), 'is given twice; keep one of them');
      else found.set(name, value);
    }
    return (name) => {
      const value = found.get(name);
      return { field: joined(field, name), node: value?.kind === 'null' ? undefined : value };
    };
  }

  /** Each item of a list; none when it is absent. */
  list({ field, node }: Place, itemsMax: number): Place[] {
    if (node === undefined) return [];
    if (node.kind !== 'array') {
      this.add(field, `must be a list, is ${shown(node)}`);
      return [];
    }
    if (node.items.length > itemsMax) this.add(field, `must have at most ${itemsMax} items, has ${node.items.length}`);
    return node.items.slice(0, itemsMax).map((item, index) => ({ field: `${field}[${index}]`, node: item }));
  }

  text({ field, node }: Place, { charsMax, required = false, prose = false }: TextRules): string | undefined {
    if (node === undefined || (node.kind === 'string' && node.text === '')) {
      if (required) this.add(field, 'is required');
      return undefined;
    }
    if (node.kind !== 'string') this.add(field, `must be a text, is ${shown(node)}`);
    else if (node.text.length > charsMax)
      this.add(field, `must have at most ${charsMax} characters, has ${node.text.length}`);
    else if (!(prose ? PROSE : PRINTABLE).test(node.text)) this.add(field, 'must consist of printable characters');
    else if (!prose && node.text.trim() !== node.text) this.add(field, 'must not begin or end with a blank');
    else return node.text;
    return undefined;
  }

  choice<Name extends string>({ field, node }: Place, names: readonly Name[]): Name | undefined {
    const known = names.join(' ');
    if (node === undefined) this.add(field, `is required: one of ${known}`);
    else {
      const name = names.find((each) => node.kind === 'string' && each === node.text);
      if (name !== undefined) return name;
      this.add(field, `must be one of ${known}, is ${shown(node)}`);
    }
    return undefined;
  }

  flag({ field, node }: Place): boolean | undefined {
    if (node === undefined) this.add(field, 'is required: true or false');
    else if (node.kind !== 'boolean') this.add(field, `must be true or false, is ${shown(node)}`);
    else return node.value;
    return undefined;
  }

  number({ field, node }: Place, range: Range, { required = false } = {}): number | undefined {
    if (node === undefined) {
      if (required) this.add(field, 'is required: a number');
      return undefined;
    }
    if (node.kind !== 'number') this.add(field, `must be a number, is ${shown(node)}`);
    else if (!Number.isFinite(node.value)) this.add(field, `must be a finite number, is ${clipped(node.source)}`);
    else if (!new Decimal(node.source).eq(node.value))
      this.add(field, `${clipped(node.source)} has more digits than can be kept; write ${node.value}`);
    else if (!within(node.value, range)) this.add(field, `must be ${rangeText(range)}, is ${node.value}`);
    // Minus zero compares as zero, and would not come back out of every store.
    else return node.value === 0 ? 0 : node.value;
    return undefined;
  }
}

export function joined(field: string, name: string): string {
  return field === '' ? name : `${field}.${name}`;
}

export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function unknownField(key: string, names: readonly string[]): string {
  const meant = closestTo(key, names);
  const known = `the fields here are ${names.join(', ')}`;
  return meant === undefined
    ? `is not a known field; ${known}`
    : `is not a known field; did you mean ${meant}? (${known})`;
}

function within(value: number, { above, min, max, below }: Range): boolean {
  return (
    (above === undefined || value > above) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (below === undefined || value < below)
  );
}

function rangeText({ above, min, max, below }: Range): string {
  const low = above === undefined ? (min === undefined ? '' : `at least ${min}`) : `above ${above}`;
  const high = below === undefined ? (max === undefined ? '' : `at most ${max}`) : `below ${below}`;
  return [low, high].filter((part) => part !== '').join(' and ');
}

function shown(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return 'an object';
    case 'array':
      return 'a list';
    case 'null':
      return 'null';
    case 'string':
      return `the text ${JSON.stringify(clipped(node.text))}`;
    case 'boolean':
      return String(node.value);
    case 'number':
      return clipped(node.source);
    default:
      return node satisfies never;
  }
}

function clipped(text: string): string {
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX).toWellFormed()}…`;
}
