import { create, fromBinary, mergeFromBinary, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandPayloadSchema, Lane, PreconditionsSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandDeliverySchema,
  ConnectResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { sampleCommand } from '../../../test/harness/sample-commands.ts';
import type { Command } from '../domain/command.ts';
import { checkStored, DeliveryFrame, deliveryBytes } from './delivery-frame.ts';

const NOW_MS = 1_700_000_000_123;
const DAY_MS = 86_400_000;

const parameters = toBinary(
  CommandPayloadSchema,
  create(CommandPayloadSchema, {
    kind: { case: 'openPosition', value: { sessionId: 's-1', symbol: 'BTC_USDT', quantity: '0.01' } },
  }),
);
const preconditions = toBinary(PreconditionsSchema, create(PreconditionsSchema, {}));

/** The same delivery made by the generated code. */
function byGeneratedCode(command: Command, nowMs: number): Uint8Array {
  const { deadlines } = command;
  const delivery = mergeFromBinary(CommandDeliverySchema, create(CommandDeliverySchema), command.parameters);
  delivery.commandId = command.id;
  delivery.attempt = command.attempt;
  delivery.sequence = BigInt(command.sequence);
  delivery.orderingKey = command.orderingKey;
  delivery.createTime = timestampFromMs(command.createMs);
  const startMs = Math.min(
    deadlines.startWithinMs,
    (deadlines.notAfterMs ?? Infinity) - nowMs,
    deadlines.finishByMs - nowMs,
  );
  delivery.startWithin = span(startMs);
  if (deadlines.progressWithinMs !== null) delivery.progressWithin = span(deadlines.progressWithinMs);
  delivery.finishWithin = span(deadlines.finishWithinMs);
  delivery.rememberFor = span(deadlines.finishByMs - nowMs + DAY_MS);
  delivery.lane = { 1: Lane.NORMAL, 2: Lane.HIGH, 3: Lane.CRITICAL }[command.lane];
  delivery.overtakes = command.kind === 'stop_all';
  if (command.preconditions !== null) delivery.preconditions = fromBinary(PreconditionsSchema, command.preconditions);
  return toBinary(CommandDeliverySchema, delivery);
}

const span = (ms: number) => durationFromMs(Math.max(0, Math.round(ms)));
const whole = (max: number) => fc.integer({ min: 0, max });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const commands = fc.record({
  id: fc.uuid(),
  attempt: whole(2 ** 31 - 1),
  sequence: fc.oneof(whole(300), whole(Number.MAX_SAFE_INTEGER)),
  orderingKey: fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 300 })),
  createMs: whole(4_000_000_000_000),
  lane: fc.constantFrom(1 as const, 2 as const, 3 as const),
  kind: fc.constantFrom('open_position', 'stop_all'),
  preconditions: fc.constantFrom(null, preconditions),
  startWithinMs: whole(10 * DAY_MS),
  progressWithinMs: orNull(whole(DAY_MS)),
  finishWithinMs: whole(10 * DAY_MS),
  finishByMs: fc.integer({ min: NOW_MS - DAY_MS, max: NOW_MS + 30 * DAY_MS }),
  notAfterMs: orNull(fc.integer({ min: NOW_MS - DAY_MS, max: NOW_MS + 30 * DAY_MS })),
});

describe('deliveryBytes', () => {
  test('are what the generated code makes, byte for byte', () => {
    fc.assert(
      fc.property(commands, ({ startWithinMs, progressWithinMs, finishWithinMs, finishByMs, notAfterMs, ...facts }) => {
        const sample = sampleCommand({ parameters }, facts);
        const spans = { startWithinMs, progressWithinMs, finishWithinMs, finishByMs, notAfterMs };
        const command = { ...sample, deadlines: { ...sample.deadlines, ...spans } };
        const bytes = deliveryBytes(command, NOW_MS);
        expect(bytes.equals(byGeneratedCode(command, NOW_MS))).toBe(true);
      }),
    );
  });

  test('a value that cannot be written spoils nothing that is written after it', () => {
    const command = sampleCommand({ parameters });
    const bytes = deliveryBytes(command, NOW_MS);
    expect(() => deliveryBytes({ ...command, sequence: -1 }, NOW_MS)).toThrow(RangeError);
    expect(deliveryBytes(command, NOW_MS).equals(bytes)).toBe(true);
  });
});

test('a frame holds its deliveries, and is what the generated code makes', () => {
  const deliveries = [1, 2, 300].map((sequence) => deliveryBytes(sampleCommand({ parameters }, { sequence }), NOW_MS));
  const made = new DeliveryFrame(deliveries, NOW_MS);
  const { frame } = made;
  if (frame.case !== 'commands') throw new Error('a frame of commands is wanted');
  expect(frame.value.commands.map(({ sequence }) => sequence)).toEqual([1n, 2n, 300n]);
  expect(frame.value.sendTime).toEqual(timestampFromMs(NOW_MS));
  const again = toBinary(ConnectResponseSchema, create(ConnectResponseSchema, { frame }));
  expect(Buffer.from(made.bytes).equals(again)).toBe(true);
});

describe('checkStored', () => {
  test('takes what was stored by this release', () => {
    expect(() => checkStored(sampleCommand({ kind: 'open_position', parameters, preconditions }))).not.toThrow();
  });

  test('refuses parameters that would set another field of the delivery', () => {
    const commandId = toBinary(CommandDeliverySchema, create(CommandDeliverySchema, { commandId: 'another' }));
    const command = sampleCommand({ kind: 'open_position', parameters: Buffer.concat([parameters, commandId]) });
    expect(() => checkStored(command)).toThrow('parameters: field number 1 is not known');
  });

  test('names preconditions that do not decode', () => {
    const command = sampleCommand({ kind: 'open_position', parameters, preconditions: new Uint8Array([0xff]) });
    expect(() => checkStored(command)).toThrow(/^preconditions: cannot be decoded: /);
  });
});
