import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CommandPayloadSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { ConnectResponse } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import { watchedSession } from '../../../test/harness/watched-session.ts';
import type { Command } from '../domain/command.ts';
import { HEARTBEAT_INTERVAL_MS, READ_TIMEOUT_MS } from './heartbeat.ts';
import type { ExecutorSession } from './session.ts';
import { isRefusal, reasonOf, type SessionEnd } from './session-end.ts';

test.each<[SessionEnd, boolean]>([
  [{ type: 'superseded', epoch: 4, journalId: 'j2', host: 'other' }, true],
  [{ type: 'superseded', epoch: 4, journalId: 'j1', host: 'vps' }, false],
  [{ type: 'disabled' }, true],
  [{ type: 'credential_ended', keyId: 'k1' }, true],
  [{ type: 'protocol', expected: 'hello', detail: 'none came' }, true],
  [{ type: 'left', reason: 'agent left' }, false],
  [{ type: 'silent', silenceMs: 20_000 }, false],
  [{ type: 'slow_consumer' }, false],
  [{ type: 'draining' }, false],
])('the end $0 of the stream of journal j1 is a no to the agent: $1', (end, expected) => {
  expect(isRefusal(end, 'j1')).toBe(expected);
});

function command(number: number, parameters?: Uint8Array): Command {
  const payload = create(CommandPayloadSchema, { kind: { case: 'ping', value: { payload: 'hello' } } });
  return sampleCommand({
    id: sampleId(number),
    kind: 'ping',
    orderingKey: '',
    parameters: parameters ?? toBinary(CommandPayloadSchema, payload),
  });
}

/** What the session has to say by the end of this turn. */
async function frames(session: ExecutorSession): Promise<ConnectResponse['frame'][]> {
  await Promise.resolve();
  return session.output.drain(10_000).map(({ frame }) => frame);
}

describe('frames', () => {
  test('what gathers in one turn shares frames of at most a hundred commands', async () => {
    const { session } = watchedSession();
    for (let number = 0; number < 250; number++) session.deliver(command(number));
    const sizes = (await frames(session)).map((frame) => (frame.case === 'commands' ? frame.value.commands.length : 0));
    expect(sizes).toEqual([100, 100, 50]);
  });

  test('a cancellation never comes before the command that it is for', async () => {
    const { session } = watchedSession();
    session.cancel(sampleId(7));
    session.deliver(command(7));
    expect((await frames(session)).map((frame) => frame.case)).toEqual(['commands', 'cancels']);
  });

  test('acknowledgements wait for each other, but not when there are many, and not for the end', () => {
    const { session, clock } = watchedSession();
    const acknowledged = (): number[] =>
      session.output
        .drain(10)
        .map(({ frame }) => (frame.case === 'eventsAcknowledged' ? frame.value.commandIds.length : 0));
    session.acknowledge(sampleId(1));
    session.acknowledge(sampleId(2));
    expect(acknowledged()).toEqual([]);
    clock.advance(100);
    expect(acknowledged()).toEqual([2]);
    for (let number = 0; number < 1_100; number++) session.acknowledge(sampleId(number));
    expect(acknowledged()).toEqual([500, 500]);
    session.end({ type: 'left', reason: 'agent left' });
    expect(acknowledged()).toEqual([100]);
    clock.advance(100);
    expect(acknowledged()).toEqual([]);
  });

  test('parameters that cannot be read are set aside and stop no other', async () => {
    const { session, defects } = watchedSession();
    session.deliver(command(1, new Uint8Array([0xff])));
    session.deliver(command(2));
    const [only] = await frames(session);
    expect(only?.case === 'commands' ? only.value.commands.map(({ commandId }) => commandId) : []).toEqual([
      sampleId(2),
    ]);
    expect(defects.map(({ id }) => id)).toEqual([sampleId(1)]);
  });
});

describe('ends', () => {
  test('a peer that does not read is cut off by name instead of filling memory', async () => {
    const { session, ends } = watchedSession();
    for (let number = 0; number < 2_000 && session.isOpen; number++) session.inquire([sampleId(number)]);
    expect(ends).toEqual(['agent read too slowly']);
    expect(() => session.output.drain(1)).toThrowError(/frames wait to be read/);
  });

  test.each([-7_200_000, 7_200_000])('a wall clock that is set by %d ms neither ends a stream nor keeps it', (ms) => {
    const { session, clock, ends } = watchedSession();
    clock.step(ms);
    session.tick(clock.nowMs());
    clock.advance(READ_TIMEOUT_MS - 1);
    session.tick(clock.nowMs());
    expect(ends).toEqual([]);
    clock.advance(1);
    session.tick(clock.nowMs());
    expect(ends).toEqual([reasonOf({ type: 'silent', silenceMs: READ_TIMEOUT_MS })]);
  });

  test('a silent stream ends by name, after heartbeats, and only once', () => {
    const { session, clock, ends } = watchedSession();
    const beats: bigint[] = [];
    for (let passedMs = 0; passedMs <= READ_TIMEOUT_MS + 1_000; passedMs += 500) {
      session.tick(clock.nowMs());
      if (session.isOpen) {
        for (const { frame } of session.output.drain(10))
          if (frame.case === 'heartbeat') beats.push(frame.value.number);
      }
      clock.advance(500);
    }
    expect(beats.length).toBe(Math.floor(READ_TIMEOUT_MS / HEARTBEAT_INTERVAL_MS));
    expect(ends).toEqual(['silent for 20 s']);
    expect(session.endError?.reason).toBe('STREAM_SILENT');
  });

  test('the superseded stream is told by whom, as its last frame', async () => {
    const { session } = watchedSession();
    session.deliver(command(1));
    await Promise.resolve();
    session.end({ type: 'superseded', epoch: 4, journalId: 'j2', host: 'other' });
    session.deliver(command(2));
    const said = await frames(session);
    expect(said.map((frame) => frame.case)).toEqual(['commands', 'superseded']);
    expect(session.endError?.reason).toBe('STREAM_SUPERSEDED');
  });
});
