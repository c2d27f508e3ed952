import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  PreconditionsSchema,
  Preconditions_SessionState as SessionState,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { IssueCommandResponseSchema } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { PingSchema } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { SAMPLE_NOW_MS, sampleCommand } from '../../../test/harness/sample-commands.ts';
import type { Command } from '../domain/command.ts';
import { transition } from '../domain/transition.ts';
import { commandToProto } from './command-to-proto.ts';
import { IssuedCommand, isJustIssued } from './issued-command.ts';
import { encodePayload } from './payload.ts';

const spanMs = fc.integer({ min: 1, max: 86_400_000 });
const preconditions = toBinary(PreconditionsSchema, create(PreconditionsSchema, { sessionState: SessionState.ACTIVE }));

const issued: fc.Arbitrary<Command> = fc
  .record({
    id: fc.uuid(),
    executorId: fc.uuid(),
    payload: fc.string({ maxLength: 200 }),
    orderingKey: fc.string({ maxLength: 80 }),
    requestId: fc.option(fc.string({ minLength: 1, maxLength: 80 })),
    retryOf: fc.option(fc.uuid()),
    preconditions: fc.constantFrom(null, preconditions),
    lane: fc.constantFrom(null, 1 as const, 2 as const, 3 as const),
    attemptsMax: fc.option(fc.integer({ min: 1, max: 10 })),
    notAfterMs: fc.option(fc.integer({ min: SAMPLE_NOW_MS, max: SAMPLE_NOW_MS + 86_400_000 })),
    spans: fc.record(
      {
        deliverWithinMs: spanMs,
        receiveWithinMs: spanMs,
        startWithinMs: spanMs,
        progressWithinMs: spanMs,
        finishWithinMs: spanMs,
      },
      { requiredKeys: [] },
    ),
    nowMs: fc.integer({ min: SAMPLE_NOW_MS, max: SAMPLE_NOW_MS + 86_400_000 }),
    sequence: fc.oneof(fc.nat(300), fc.maxSafeNat()),
    sent: fc.boolean(),
  })
  .map(({ payload, nowMs, sequence, sent, ...order }) => {
    const parameters = encodePayload({ case: 'ping', value: create(PingSchema, { payload }) });
    const command = sampleCommand({ ...order, kind: 'ping', parameters }, { sequence }, nowMs);
    if (!sent) return command;
    const moved = transition(command, { type: 'sent', epoch: 7, journalId: 'journal' }, nowMs);
    return moved?.command ?? command;
  });

test('a command just issued is byte for byte what the generated code makes of it, and can be looked into', () => {
  fc.assert(
    fc.property(issued, fc.string({ maxLength: 80 }), (command, executorName) => {
      expect(isJustIssued(command)).toBe(true);
      const message = create(IssueCommandResponseSchema, { command: commandToProto(command, executorName) });
      const quick = new IssuedCommand(command, executorName);
      expect(Buffer.from(quick.bytes).equals(toBinary(IssueCommandResponseSchema, message))).toBe(true);
      expect(quick.command).toEqual(fromBinary(IssueCommandResponseSchema, quick.bytes).command);
      expect(quick.alreadyIssued).toBe(false);
    }),
  );
});

test('a command that more has happened to is not just issued', () => {
  const command = sampleCommand();
  const error = { reason: 'EXPIRED_AT_AGENT', message: 'late', hop: 'agent', retryable: true, metadata: {} } as const;
  expect(isJustIssued({ ...command, state: 'CANCELLED' })).toBe(false);
  expect(isJustIssued({ ...command, state: 'RECEIVED', attempt: 1 })).toBe(false);
  expect(isJustIssued({ ...command, attempt: 1, error })).toBe(false);
  expect(isJustIssued({ ...command, state: 'SENT', attempt: 2, error })).toBe(false);
});
