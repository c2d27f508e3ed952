import { type DescField, type DescMessage, fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import {
  type IssueCommandRequest,
  IssueCommandRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { usageError } from '../terminal/errors.ts';

/** The cases of the oneof `kind`: what an executor can be told. */
const KIND_FIELDS: readonly (DescField & { readonly message: DescMessage })[] = IssueCommandRequestSchema.oneofs
  .filter((oneof) => oneof.name === 'kind')
  .flatMap((oneof) => oneof.fields)
  .flatMap((field) => (field.message === undefined ? [] : [{ ...field, message: field.message }]));

/** Names as proto writes them, such as "open_position". */
export const KIND_NAMES: readonly string[] = KIND_FIELDS.map((field) => field.name);

/** The proto name of a kind that was written as open_position, open-position, openPosition or OpenPosition. @throws CliError usage. */
export function kindName(text: string): string {
  const wanted = bare(text);
  const name = KIND_NAMES.find((candidate) => bare(candidate) === wanted);
  if (name === undefined) throw usageError(`there is no kind "${text}"; the kinds are ${KIND_NAMES.join(', ')}`);
  return name;
}

/**
 * The oneof case for a request from a kind and the JSON of its message, in snake_case or camelCase; enum values may be
 * written without their prefix ("buy").
 * @throws CliError usage naming the field that is unknown or cannot be read.
 */
export function parseKind(kind: string, json: string | undefined): IssueCommandRequest['kind'] {
  const name = kindName(kind);
  const field = KIND_FIELDS.find((candidate) => candidate.name === name);
  if (field === undefined) throw usageError(`there is no kind "${kind}"`);
  const value = withFullEnumNames(field.message, parseObject(json ?? '{}', name), name);
  try {
    return fromJson(IssueCommandRequestSchema, { [field.jsonName]: value }).kind;
  } catch (thrown) {
    throw usageError(`${name}: ${readableProtoError(messageOf(thrown))}`, thrown);
  }
}

function parseObject(json: string, name: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (thrown) {
    throw usageError(`the JSON for ${name} cannot be read: ${messageOf(thrown)}`, thrown);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`the JSON for ${name} must be an object, such as '{"session_id": "s-1"}'`);
  }
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}

function withFullEnumNames(message: DescMessage, json: JsonObject, path: string): JsonObject {
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const field = message.fields.find((candidate) => candidate.name === key || candidate.jsonName === key);
      if (field === undefined) {
        const known = message.fields.map((candidate) => candidate.name).join(', ');
        throw usageError(`${path}.${key}: unknown field; ${message.name} has ${known === '' ? 'no fields' : known}`);
      }
      return [key, field.fieldKind === 'enum' && typeof value === 'string' ? fullEnumName(field, value) : value];
    }),
  );
}

function fullEnumName(field: DescField & { readonly fieldKind: 'enum' }, value: string): string {
  const wanted = value.toUpperCase().replaceAll('-', '_');
  const prefix = field.enum.sharedPrefix?.toUpperCase() ?? '';
  return field.enum.values.find(({ name }) => name === wanted || name === `${prefix}${wanted}`)?.name ?? value;
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

function readableProtoError(message: string): string {
  return message.replace(/^cannot decode (field|message) strategos\.command\.v1\./, '').replace(' from JSON', '');
}
