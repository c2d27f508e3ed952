import { create, fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AgentBench } from '../consumers/agent-bench.ts';
import { platformFrames } from './platform-frames.ts';
import { frameNames } from './frame.ts';
import { todaysFrames } from './make.ts';

const UNKNOWN_FIELD = 4_000;

/** A frame with one field that nobody knows. */
function unknownFrame(): Uint8Array {
  return new BinaryWriter().tag(UNKNOWN_FIELD, WireType.LengthDelimited).string('from the future').finish();
}

test('a frame of a case that the agent does not know is passed over, and the stream goes on', async () => {
  await using bench = await AgentBench.start();
  const stream = await bench.stream();
  await stream.next();
  stream.welcome();
  stream.toAgent.push(create(ConnectResponseSchema, fromBinary(ConnectResponseSchema, unknownFrame())));
  stream.send({ case: 'heartbeat', value: { number: 9n } });
  expect((await stream.next())?.frame).toMatchObject({ case: 'heartbeatReply', value: { number: 9n } });
});

test('an unknown field beside known ones survives decoding, and does not disturb the agent', async () => {
  const [welcome] = await platformFrames();
  if (welcome?.from !== 'platform') throw new Error('the platform says no welcome');
  const frame = fromBinary(ConnectResponseSchema, unknownFrame());
  expect(frame.$unknown?.map(({ no }) => no)).toEqual([UNKNOWN_FIELD]);
  await using bench = await AgentBench.start();
  const stream = await bench.stream();
  await stream.next();
  stream.toAgent.push(create(ConnectResponseSchema, { ...welcome.message, $unknown: frame.$unknown ?? [] }));
  stream.send({ case: 'heartbeat', value: { number: 9n } });
  expect((await stream.next())?.frame.case).toBe('heartbeatReply');
  expect(bench.executor.state.kind).toBe('ready');
});

test('every case of every frame, kind and event has bytes', async () => {
  const { frames } = await todaysFrames();
  expect(frames.map(({ name }) => name)).toEqual([...frameNames('platform'), ...frameNames('executor')]);
  expect(frames.some(({ name }) => name === 'platform commands/open_position')).toBe(true);
  expect(fromBinary(ConnectRequestSchema, new Uint8Array()).frame.case).toBeUndefined();
});
