import type { DescField, DescMessage, JsonObject, JsonValue, Message } from '@bufbuild/protobuf';
import { type SampleOf, sampleMessage } from './sample-request.ts';

/** One message within a request: the request itself, or one that stands in it. */
export interface Place {
  readonly desc: DescMessage;
  /** Path in proto notation; empty for the request itself. */
  readonly path: string;
  /** The fields that lead here from the request. */
  readonly steps: readonly DescField[];
  /** The whole request around this message. */
  readonly within: (message: JsonObject) => JsonObject;
  readonly sample: () => JsonObject;
}

/** One field of a message within a request, with a sample in which its oneof, if it is in one, has chosen it. */
export interface Site extends Place {
  readonly field: DescField;
}

/** Every message that a request may hold, each case of a oneof included. */
export function placesOf(desc: DescMessage, sampleOf: SampleOf): Place[] {
  const found: Place[] = [];
  const visit = (place: Place): void => {
    found.push(place);
    for (const site of sitesAt(place, sampleOf)) {
      const inner = innerMessage(site.field);
      if (inner === undefined) continue;
      const { field } = site;
      const listed = field.fieldKind === 'list';
      visit({
        desc: inner,
        path: joined(site.path, listed ? `${field.name}[0]` : field.name),
        steps: [...site.steps, field],
        within: (message) => site.within({ ...site.sample(), [field.jsonName]: listed ? [message] : message }),
        sample: () => sampleMessage(inner, sampleOf),
      });
    }
  };
  visit({ desc, path: '', steps: [], within: (message) => message, sample: () => sampleMessage(desc, sampleOf) });
  return found;
}

/** The fields of one message. */
export function sitesAt(place: Place, sampleOf: SampleOf): Site[] {
  return place.desc.fields.map((field) => ({
    ...place,
    field,
    sample: field.oneof === undefined ? place.sample : () => sampleMessage(place.desc, sampleOf, field),
  }));
}

/** The message of a field that is written as an object with fields of its own. */
function innerMessage(field: DescField): DescMessage | undefined {
  if (field.fieldKind === 'map' || field.message === undefined) return undefined;
  return field.message.typeName.startsWith('google.protobuf.') ? undefined : field.message;
}

/** The message at a place within a decoded request. */
export function messageAt(request: Message, steps: readonly DescField[]): Message {
  let at: unknown = request;
  for (const field of steps) {
    if (typeof at !== 'object' || at === null) break;
    const held: unknown =
      field.oneof === undefined
        ? Reflect.get(at, field.localName)
        : Reflect.get(Object(Reflect.get(at, field.oneof.localName)), 'value');
    at = Array.isArray(held) ? held[0] : held;
  }
  if (!isMessageLike(at)) throw new Error(`nothing stands at ${steps.map(({ name }) => name).join('.')}`);
  return at;
}

function isMessageLike(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && '$typeName' in value;
}

export function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

export function without(message: JsonObject, field: DescField): JsonObject {
  return Object.fromEntries(Object.entries(message).filter(([key]) => key !== field.jsonName));
}

export function withValue(message: JsonObject, field: DescField, value: JsonValue): JsonObject {
  return { ...message, [field.jsonName]: value };
}
