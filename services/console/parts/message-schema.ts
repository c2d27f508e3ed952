import type { DescMessage, Message } from '@bufbuild/protobuf';
import { CommandResultSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { KIND_FIELDS } from './command-kind.ts';

const SCHEMAS = new Map<string, DescMessage>(
  [...KIND_FIELDS.flatMap((field) => (field.fieldKind === 'message' ? [field.message] : [])), CommandResultSchema].map(
    (schema) => [schema.typeName, schema],
  ),
);

/** The descriptor of a kind or of a result. */
export function schemaOf(message: Message): DescMessage | undefined {
  return SCHEMAS.get(message.$typeName);
}
