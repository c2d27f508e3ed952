import type { DescField, DescMessage, JsonValue, Message } from '@bufbuild/protobuf';
import { isObject } from '../golden/frame.ts';

/** Everything below was read: a message that was copied or stored whole. */
const WHOLE = '**';

/**
 * Notes which fields of a message a program reads, by their paths in proto JSON, such as `welcome.streamEpoch`; elements of lists
 * are `*`. What is copied or encoded whole is read whole.
 */
export class Reads {
  readonly #paths = new Set<string>();

  /** The same message, watched. */
  watch<T extends Message>(desc: DescMessage, message: T): T {
    return this.#message(desc, message, '');
  }

  /** What of a message's JSON was read; undefined when nothing was. */
  needed(json: JsonValue, path = ''): JsonValue | undefined {
    if (this.#paths.has(`${path}.${WHOLE}`)) return json;
    if (Array.isArray(json)) {
      const items = json.map((item) => this.needed(item, `${path}.*`)).filter((item) => item !== undefined);
      return items.length > 0 ? items : this.#leaf(json, path);
    }
    if (!isObject(json)) return this.#leaf(json, path);
    const kept = Object.entries(json).flatMap(([key, value]) => {
      const inner = this.needed(value, `${path}.${key}`);
      return inner === undefined ? [] : [[key, inner] as const];
    });
    return kept.length === 0 ? this.#leaf(json, path) : Object.fromEntries(kept);
  }

  #leaf(json: JsonValue, path: string): JsonValue | undefined {
    if (!this.#paths.has(path)) return undefined;
    // That a oneof's case was looked at says nothing about fields that were not.
    return isObject(json) && Object.keys(json).length > 0 ? undefined : json;
  }

  #message<T extends object>(desc: DescMessage, message: T, path: string): T {
    return new Proxy(message, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof name !== 'string') return value;
        const oneof = desc.oneofs.find((each) => each.localName === name);
        if (oneof !== undefined && typeof value === 'object' && value !== null)
          return this.#choice(oneof.fields, value, path);
        const field = desc.fields.find((each) => each.localName === name);
        return field === undefined ? value : this.#value(field, value, `${path}.${field.jsonName}`);
      },
      ownKeys: (target) => {
        this.#paths.add(`${path}.${WHOLE}`);
        return Reflect.ownKeys(target);
      },
    });
  }

  #choice(fields: readonly DescField[], choice: object, path: string): object {
    return new Proxy(choice, {
      get: (target, name) => {
        const chosen: unknown = Reflect.get(target, 'case');
        const field = fields.find((each) => each.localName === chosen);
        if (field !== undefined) this.#paths.add(`${path}.${field.jsonName}`);
        const value: unknown = Reflect.get(target, name);
        return name === 'value' && field !== undefined ? this.#value(field, value, `${path}.${field.jsonName}`) : value;
      },
    });
  }

  #value(field: DescField, value: unknown, path: string): unknown {
    if (typeof value !== 'object' || value === null) {
      this.#paths.add(path);
      return value;
    }
    // Whoever takes hold of a map may look for anything in it.
    if (field.fieldKind === 'map') {
      this.#paths.add(`${path}.${WHOLE}`);
      return value;
    }
    // Times and spans are one text in JSON.
    if (field.message?.file.proto.package.startsWith('google.') === true) {
      this.#paths.add(path);
      return value;
    }
    if (Array.isArray(value)) return this.#list(field, value, path);
    return field.message === undefined ? value : this.#message(field.message, value, path);
  }

  #list(field: DescField, list: readonly unknown[], path: string): unknown {
    if (field.message === undefined) this.#paths.add(path);
    return new Proxy(list, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        const isItem = typeof name === 'string' && /^\d+$/.test(name);
        if (!isItem || field.message === undefined || typeof value !== 'object' || value === null) return value;
        return this.#message(field.message, value, `${path}.*`);
      },
    });
  }
}
