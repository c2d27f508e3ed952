import { type DescField, type DescMessage, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { type FieldViolation, messageOf } from '../../platform/errors.ts';
import { expectation, isWellKnown, messageExpectation, shown, unknownField } from './json-expectation.ts';

/** Faults listed in one answer: they travel in a header, and nobody mends more at a time. */
const FAULTS_LISTED_MAX = 16;
/** Depth at which protobuf-es stops reading, too. */
const DEPTH_MAX = 100;
const KEY_CHARS_MAX = 80;

/**
 * Every fault of a JSON value that should be a `message`, with its path in proto notation. Walks the value beside the
 * descriptor; what a single value may be is asked of protobuf-es itself, so that both never disagree. Meant for values that were
 * refused: an empty list means that nothing is wrong with the parts.
 */
export function jsonFaults(message: DescMessage, json: JsonValue): FieldViolation[] {
  const walk = new FaultWalk();
  walk.message(message, json, '', 0);
  return walk.faults;
}

class FaultWalk {
  readonly faults: FieldViolation[] = [];

  message(desc: DescMessage, json: JsonValue, path: string, depth: number): void {
    if (this.#full() || accepts(desc, json)) return;
    if (isWellKnown(desc) || typeof json !== 'object' || json === null || Array.isArray(json)) {
      this.#add(path, messageExpectation(desc, json));
      return;
    }
    if (depth >= DEPTH_MAX) {
      this.#add(path, `nested deeper than ${DEPTH_MAX} messages`);
      return;
    }
    const fields = new Map(
      desc.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field] as const]),
    );
    const seen = new Map<DescField, string>();
    const chosen = new Map<string, string>();
    for (const [key, value] of Object.entries(json)) {
      // To look for what an unknown field was meant to be costs a hundred times what reading it does.
      if (this.#full()) return;
      const field = fields.get(key);
      if (field === undefined) {
        this.#add(joined(path, key.slice(0, KEY_CHARS_MAX)), unknownField(desc, key));
        continue;
      }
      const earlier = seen.get(field);
      if (earlier !== undefined) this.#add(joined(path, field.name), `given twice, as ${earlier} and ${key}`);
      seen.set(field, key);
      this.#oneof(field, value, path, chosen);
      if (value !== null) this.#field(desc, field, key, value, joined(path, field.name), depth);
    }
  }

  #oneof(field: DescField, value: JsonValue, path: string, chosen: Map<string, string>): void {
    if (field.oneof === undefined || (value === null && field.fieldKind === 'scalar')) return;
    const other = chosen.get(field.oneof.name);
    if (other === undefined) chosen.set(field.oneof.name, field.name);
    else this.#add(joined(path, field.name), `only one of ${field.oneof.name} may be set, and ${other} is`);
  }

  #field(parent: DescMessage, field: DescField, key: string, value: JsonValue, path: string, depth: number): void {
    switch (field.fieldKind) {
      case 'scalar':
      case 'enum':
        if (!accepts(parent, { [key]: value })) this.#add(path, expectation(field, value));
        return;
      case 'message':
        this.message(field.message, value, path, depth + 1);
        return;
      case 'list':
        this.#list(parent, field, key, value, path, depth);
        return;
      case 'map':
        this.#map(parent, field, key, value, path, depth);
        return;
    }
  }

  #list(parent: DescMessage, field: DescField, key: string, value: JsonValue, path: string, depth: number): void {
    if (!Array.isArray(value)) {
      this.#add(path, `expected a list, got ${shown(value)}`);
      return;
    }
    for (const [index, item] of value.entries()) {
      if (this.#full()) return;
      const itemPath = `${path}[${index}]`;
      if (field.message !== undefined && item !== null) this.message(field.message, item, itemPath, depth + 1);
      else if (!accepts(parent, { [key]: [item] })) this.#add(itemPath, expectation(field, item));
    }
  }

  #map(parent: DescMessage, field: DescField, key: string, value: JsonValue, path: string, depth: number): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#add(path, `expected an object, got ${shown(value)}`);
      return;
    }
    for (const [entryKey, entry] of Object.entries(value)) {
      if (this.#full()) return;
      const entryPath = `${path}[${JSON.stringify(entryKey.slice(0, KEY_CHARS_MAX))}]`;
      if (field.message !== undefined && entry !== null) this.message(field.message, entry, entryPath, depth + 1);
      else if (!accepts(parent, { [key]: { [entryKey]: entry } })) this.#add(entryPath, expectation(field, entry));
    }
  }

  #add(path: string, description: string): void {
    if (!this.#full()) this.faults.push({ field: path === '' ? '(message)' : path, description });
  }

  #full(): boolean {
    return this.faults.length >= FAULTS_LISTED_MAX;
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function accepts(desc: DescMessage, json: JsonValue): boolean {
  return refusal(desc, json) === undefined;
}

/** What protobuf-es says against the value, or undefined when it takes it. Unknown fields are refused. */
export function refusal(desc: DescMessage, json: JsonValue): string | undefined {
  try {
    fromJson(desc, json, { ignoreUnknownFields: false });
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
