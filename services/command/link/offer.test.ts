import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { HelloSchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { offerOf } from './offer.ts';

const HELLO_MS = Date.UTC(2024, 0, 1);

function offset(agentTime: MessageInitShape<typeof HelloSchema>['agentTime']): number | null {
  const hello = create(HelloSchema, {
    journalId: 'j',
    inFlightMax: 1,
    ...(agentTime === undefined ? {} : { agentTime }),
  });
  return offerOf('e', hello, 'STREAM', HELLO_MS).clockOffsetMs;
}

test('an agent that tells its time is known by how far its clock is off; one that does not, or cannot, is not', () => {
  expect(offset(timestampFromMs(HELLO_MS - 3_000))).toBe(-3_000);
  expect(offset(timestampFromMs(HELLO_MS + 250))).toBe(250);
  expect(offset(undefined)).toBeNull();
  expect(offset({ seconds: 1n, nanos: -1 })).toBeNull();
});
