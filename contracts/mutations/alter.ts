import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

/** Changes a message in its JSON form, in place. */
export type Alter = (json: JsonObject) => void;

export function without(...keys: readonly string[]): Alter {
  return (json) => {
    for (const key of keys) delete json[key];
  };
}

export function renamed(from: string, to: string): Alter {
  return (json) => {
    const value = json[from];
    if (value === undefined) return;
    delete json[from];
    json[to] = value;
  };
}

/** Puts another value where one stands. */
export function set(key: string, value: JsonValue): Alter {
  return (json) => {
    if (json[key] !== undefined) json[key] = value;
  };
}
