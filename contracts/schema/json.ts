import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

/** The document in a text that this gate, or a tool of it, has written. */
export function documentOf<T>(text: string, revive?: (document: T) => T): T {
  const document: T = JSON.parse(text);
  return revive?.(document) ?? document;
}

/** The object that a proto message is in JSON. */
export function objectOf(json: JsonValue): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error('a message is an object in JSON');
  return json;
}
