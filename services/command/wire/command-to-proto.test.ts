import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { SAMPLE_NOW_MS, sampleCommand } from '../../../test/harness/sample-commands.ts';
import {
  CommandProgressSchema,
  CommandResultSchema,
  CommandSchema,
  CommandState,
  Lane,
  TransitionSchema,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { PingSchema } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { commandToProto, transitionToProto } from './command-to-proto.ts';
import { encodePayload } from './payload.ts';

const parameters = encodePayload({ case: 'ping', value: create(PingSchema, { payload: 'hello' }) });
const ping = { kind: 'ping', parameters, orderingKey: '' } as const;

describe('a command on the wire', () => {
  test('shows its kind, its times and nothing that is not there yet', () => {
    const message = commandToProto(sampleCommand(ping), 'vps-1');
    expect(toJson(CommandSchema, message)).toEqual({
      id: '00000000-0000-4000-8000-000000000001',
      executorId: '00000000-0000-4000-8000-0000000000e1',
      executorName: 'vps-1',
      ping: { payload: 'hello' },
      state: 'COMMAND_STATE_PENDING',
      lane: 'LANE_NORMAL',
      attemptsMax: 3,
      deadlines: {
        deliverBy: '2024-01-01T00:01:00Z',
        receiveWithin: '5s',
        startWithin: '30s',
        finishWithin: '60s',
        finishBy: '2024-01-01T00:02:34Z',
      },
      createTime: '2024-01-01T00:00:00Z',
      dueTime: '2024-01-01T00:01:00Z',
    });
  });

  test('shows what it has gone through', () => {
    const result = toBinary(CommandResultSchema, create(CommandResultSchema, { summary: 'done' }));
    const progress = toBinary(CommandProgressSchema, create(CommandProgressSchema, { percent: 30 }));
    const message = commandToProto(
      sampleCommand(ping, {
        state: 'FAILED',
        lane: 3,
        attempt: 2,
        sequence: 12,
        sentMs: SAMPLE_NOW_MS + 1,
        finishMs: SAMPLE_NOW_MS + 1_500,
        dueMs: Infinity,
        result,
        progress,
        error: {
          reason: 'VENUE_REJECTED',
          message: 'no',
          hop: 'venue',
          retryable: false,
          metadata: { venue_code: '7' },
        },
      }),
      'vps-1',
    );
    expect(message).toMatchObject({
      state: CommandState.FAILED,
      lane: Lane.CRITICAL,
      attempt: 2,
      sequence: 12n,
      result: { summary: 'done' },
      progress: { percent: 30 },
      error: { reason: ErrorReason.VENUE_REJECTED, message: 'no', hop: 'venue', metadata: { venue_code: '7' } },
    });
    expect(toJson(CommandSchema, message)).toMatchObject({ finishTime: '2024-01-01T00:00:01.500Z' });
    expect(message.dueTime).toBeUndefined();
  });

  test('is shown without what cannot be read, and always as proto JSON', () => {
    const junk = new Uint8Array([255, 255, 255]);
    const message = commandToProto(
      sampleCommand(
        { ...ping, parameters: junk, preconditions: junk },
        {
          state: 'FAILED',
          result: junk,
          progress: junk,
          // Times that Postgres holds and proto JSON does not.
          sentMs: Date.UTC(20_000, 0, 1),
          receivedMs: -Infinity,
          startMs: Number.NaN,
          dueMs: Infinity,
          error: { reason: 'FROM_THE_FUTURE', message: '', hop: 'platform', retryable: false, metadata: {} },
        },
      ),
      '',
    );
    expect(message.kind.case).toBeUndefined();
    expect(message).not.toHaveProperty('result.summary');
    expect(message.sentTime ?? message.receivedTime ?? message.startTime ?? message.progress).toBeUndefined();
    expect(message.error?.reason).toBe(ErrorReason.UNSPECIFIED);
    expect(fromBinary(CommandSchema, toBinary(CommandSchema, message)).id).toBe(message.id);
    expect(toJson(CommandSchema, message)).toMatchObject({ state: 'COMMAND_STATE_FAILED' });
  });

  test('cannot be given another id by its parameters', () => {
    const forged = toBinary(CommandSchema, create(CommandSchema, { id: 'forged', kind: { case: 'ping', value: {} } }));
    expect(commandToProto(sampleCommand({ ...ping, parameters: forged }), '').id).toBe(
      '00000000-0000-4000-8000-000000000001',
    );
  });
});

test('a fill at a time that proto JSON cannot express is shown without it', () => {
  const fills = [{ symbol: 'X', fillTime: { seconds: 10n ** 15n, nanos: 0 } }, { fillTime: { seconds: 1n, nanos: 0 } }];
  const result = toBinary(CommandResultSchema, create(CommandResultSchema, { fills }));
  const message = commandToProto(sampleCommand(ping, { result }), 'vps-1');
  expect(toJson(CommandSchema, message)).toMatchObject({
    result: { fills: [{ symbol: 'X' }, { fillTime: '1970-01-01T00:00:01Z' }] },
  });
});

test('a step of history shows where it came from and why', () => {
  const first = transitionToProto({ from: null, to: 'PENDING', atMs: SAMPLE_NOW_MS, cause: 'issued', attempt: 0 });
  expect(toJson(TransitionSchema, first)).toEqual({
    toState: 'COMMAND_STATE_PENDING',
    time: '2024-01-01T00:00:00Z',
    cause: 'issued',
  });
  const last = transitionToProto({
    from: 'SENT',
    to: 'OUTCOME_UNKNOWN',
    atMs: SAMPLE_NOW_MS,
    cause: 'deadline',
    reason: 'RECEIVE_DEADLINE',
    message: 'never acknowledged',
    attempt: 3,
    epoch: 9,
  });
  expect(last).toMatchObject({
    fromState: CommandState.SENT,
    toState: CommandState.OUTCOME_UNKNOWN,
    reason: ErrorReason.RECEIVE_DEADLINE,
    attempt: 3,
    streamEpoch: 9n,
  });
});
