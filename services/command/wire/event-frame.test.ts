import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  ConnectRequestSchema,
  type ExecutorEventSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { decodeRequest } from '../../platform/grpc/decode-request.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';
import { sampleId } from '../../../test/harness/sample-commands.ts';
import { readEventFrame } from './event-frame.ts';

const whole = (max: number) => fc.integer({ min: 0, max });

const finished = fc.record(
  {
    state: fc.constantFrom(CommandState.SUCCEEDED, CommandState.FAILED, CommandState.UNSPECIFIED),
    result: fc.record({ summary: fc.string({ unit: 'binary', maxLength: 200 }) }),
    error: fc.record({ message: fc.string(), retryable: fc.boolean() }),
  },
  { requiredKeys: ['state'] },
);

const happened = fc.oneof(
  fc.constant({ case: 'received' as const, value: {} }),
  fc.constant({ case: 'started' as const, value: {} }),
  finished.map((value) => ({ case: 'finished' as const, value })),
);

const said = fc.record(
  {
    commandId: fc.oneof(whole(3).map(sampleId), fc.uuid()),
    attempt: fc.oneof(whole(3), whole(2 ** 31 - 1)),
    age: fc.record({ seconds: whole(4_000_000).map(BigInt), nanos: whole(999_999_999) }),
    event: happened,
  },
  { requiredKeys: ['commandId', 'attempt', 'event'] },
);

/** Also what no agent of ours says, so that the ordinary decoder has to be asked. */
const unusual = fc.oneof(
  fc.constant({ commandId: 'ä', event: { case: 'received' as const, value: {} } }),
  fc.constant({ commandId: sampleId(1), attempt: -1, event: { case: 'started' as const, value: {} } }),
  fc.constant({ commandId: sampleId(1), event: { case: 'notFound' as const, value: {} } }),
  fc.constant({ commandId: sampleId(1), event: { case: 'progress' as const, value: { progress: { message: 'm' } } } }),
  fc.constant({ commandId: sampleId(1) }),
);

function frameOf(events: MessageInitShape<typeof ExecutorEventSchema>[]): Uint8Array {
  const value = { events };
  return toBinary(ConnectRequestSchema, create(ConnectRequestSchema, { frame: { case: 'events', value } }));
}

/** What both make of the bytes is the same, and passes the same checks. */
function expectSame(bytes: Uint8Array): void {
  const quick = readEventFrame(bytes);
  if (quick === undefined) return;
  const ordinary = decodeRequest(ConnectRequestSchema, bytes);
  expect(quick).toEqual(ordinary);
  expect(toBinary(ConnectRequestSchema, quick)).toEqual(toBinary(ConnectRequestSchema, ordinary));
  expect(unknownFields(ConnectRequestSchema, quick)).toEqual(unknownFields(ConnectRequestSchema, ordinary));
}

describe('readEventFrame', () => {
  test('reads what agents say as the generated code does', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 8 }), (events) => {
        const bytes = frameOf(events);
        expect(readEventFrame(bytes)).toBeDefined();
        expectSame(bytes);
      }),
    );
  });

  test('leaves to the ordinary decoder what is unusual, and never says otherwise than it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(said, unusual), { maxLength: 4 }), (events) => expectSame(frameOf(events))),
    );
  });

  test('of bytes that were changed, cut or added to, it says what the ordinary decoder says, or nothing', () => {
    const damage = fc.record({ at: fc.nat(), byte: whole(255), cut: fc.nat(), tail: fc.uint8Array({ maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 3 }), damage, (events, { at, byte, cut, tail }) => {
        const bytes = Buffer.from(frameOf(events));
        bytes[at % bytes.length] = byte;
        expectSame(bytes);
        expectSame(bytes.subarray(0, bytes.length - (cut % bytes.length)));
        expectSame(Buffer.concat([bytes, tail]));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each(['hello', 'heartbeat', 'goodbye', undefined] as const)('takes no other frame: %s', (frameCase) => {
    const frame = frameCase === undefined ? undefined : { case: frameCase, value: {} };
    const bytes = toBinary(ConnectRequestSchema, create(ConnectRequestSchema, frame === undefined ? {} : { frame }));
    expect(readEventFrame(bytes)).toBeUndefined();
    expect(fromBinary(ConnectRequestSchema, bytes).frame.case).toBe(frameCase);
  });
});
