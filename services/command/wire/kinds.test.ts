import type { DescMessage } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CommandPayloadSchema, CommandSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { IssueCommandRequestSchema } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { CommandDeliverySchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { KIND_POLICIES } from '../domain/kind.ts';
import { KIND_NAMES } from './payload.ts';

/** Name, number and message of each case of a message's `kind` oneof. */
function kindsOf(desc: DescMessage): { name: string; number: number; message: string | undefined }[] {
  const oneof = desc.oneofs.find(({ name }) => name === 'kind');
  return (oneof?.fields ?? []).map((field) => ({
    name: field.name,
    number: field.number,
    message: field.message?.typeName,
  }));
}

describe('the kinds of the wire format', () => {
  test('are twelve, and each has a policy', () => {
    expect(KIND_NAMES).toHaveLength(12);
    expect(KIND_NAMES.toSorted()).toEqual(Object.keys(KIND_POLICIES).toSorted());
  });

  test.each([
    ['Command', CommandSchema],
    ['IssueCommandRequest', IssueCommandRequestSchema],
    ['CommandDelivery', CommandDeliverySchema],
  ])('have the numbers and messages of the stored payload in %s', (_, desc) => {
    expect(kindsOf(desc)).toEqual(kindsOf(CommandPayloadSchema));
  });

  test('are the only fields of the stored payload', () => {
    expect(CommandPayloadSchema.fields.map(({ name }) => name)).toEqual(KIND_NAMES);
    expect(CommandPayloadSchema.oneofs).toHaveLength(1);
  });
});
