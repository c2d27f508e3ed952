import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CommandProgressSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ProgressSchema, ReceivedSchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { Outbox, type OutgoingEvent } from './outbox.ts';

function setUp(inFlightMax = 4) {
  const manual = new ManualClock();
  const reading = () => ({ wallMs: manual.nowMs(), uptimeMs: manual.nowMs(), monotonicMs: manual.nowMs() });
  const outbox = new Outbox(
    { nowMs: () => manual.nowMs(), steadyMs: () => manual.steadyMs(), after: manual.after.bind(manual), reading },
    inFlightMax,
  );
  const received = (commandId: string, bytes = 10): OutgoingEvent => ({
    commandId,
    attempt: 1,
    atMonotonicMs: manual.nowMs(),
    bytes,
    event: { case: 'received', value: create(ReceivedSchema) },
  });
  const progress = (commandId: string, percent: number): OutgoingEvent => ({
    ...received(commandId),
    event: {
      case: 'progress',
      value: create(ProgressSchema, { progress: create(CommandProgressSchema, { percent }) }),
    },
  });
  return { manual, outbox, received, progress };
}

const nothing = (): void => undefined;

describe('the outbox', () => {
  test('keeps nothing while no link is open, and gives a new link only what comes after', () => {
    const { outbox, received } = setUp();
    outbox.push(received('before'));
    const first = outbox.open(nothing);
    outbox.push(received('a'));
    const second = outbox.open(nothing);
    outbox.push(received('b'));
    expect(first.take()).toEqual([]);
    expect(second.take().map((event) => event.commandId)).toEqual(['b']);
    first.close();
    outbox.push(received('c'));
    expect(second.hasEvents()).toBe(true);
  });

  test('tells how long ago something happened', () => {
    const { manual, outbox, received } = setUp();
    const reader = outbox.open(nothing);
    outbox.push(received('a'));
    manual.advance(1_500);
    outbox.push(received('b'));
    expect(reader.take().map((event) => event.age)).toMatchObject([{ seconds: 1n, nanos: 500_000_000 }, undefined]);
  });

  test('folds progress of one command together', () => {
    const { outbox, progress } = setUp();
    const reader = outbox.open(nothing);
    for (const percent of [10, 20, 30]) outbox.push(progress('a', percent));
    outbox.push(progress('b', 5));
    const told = reader.take().map(({ event }) => event.case === 'progress' && event.value.progress?.percent);
    expect(told).toEqual([30, 5]);
    outbox.push(progress('a', 40));
    expect(reader.take()).toHaveLength(1);
  });

  test('cuts frames by size, and loses nothing at the cuts', () => {
    const { outbox, received } = setUp(10_000);
    const reader = outbox.open(nothing);
    for (let n = 0; n < 1_200; n++) outbox.push(received(String(n)));
    outbox.push(received('large', 300_000));
    outbox.push(received('last', 300_000));
    const frames: string[][] = [];
    while (reader.hasEvents()) frames.push(reader.take().map((event) => event.commandId));
    expect(frames.map((frame) => frame.length)).toEqual([500, 500, 200, 1, 1]);
    expect(new Set(frames.flat()).size).toBe(1_202);
  });

  test('grants one command at a time while too much waits, and all of them when it is gone', () => {
    const { outbox, received } = setUp(4);
    const reader = outbox.open(nothing);
    expect(outbox.grant).toBe(4);
    for (let n = 0; n < 17; n++) outbox.push(received(String(n)));
    expect(outbox.grant).toBe(1);
    reader.take();
    expect(outbox.grant).toBe(4);
  });
});
