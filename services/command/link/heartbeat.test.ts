import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SAMPLE_EXECUTOR_ID } from '../../../test/harness/sample-commands.ts';
import { Heartbeat, HEARTBEAT_INTERVAL_MS, READ_TIMEOUT_MS } from './heartbeat.ts';

const TICK_MS = 500;

/** How often a stream of so many intervals is asked; each tick both sides speak, or neither does. */
function beatsOf(intervals: number, { isInUse = false, isAnswered = false }): number {
  const heartbeat = new Heartbeat(0, SAMPLE_EXECUTOR_ID);
  let beats = 0;
  for (let nowMs = TICK_MS; nowMs <= intervals * HEARTBEAT_INTERVAL_MS; nowMs += TICK_MS) {
    if (isInUse) {
      heartbeat.heard(nowMs);
      heartbeat.said();
    }
    const number = heartbeat.due(nowMs);
    if (number === undefined) continue;
    beats += 1;
    heartbeat.said();
    if (isAnswered) heartbeat.answered(number, nowMs);
  }
  return beats;
}

describe('a stream is asked whether its agent is there', () => {
  test.each([
    ['in every interval while it is quiet', {}, 12],
    ['in every interval when all it does is to answer that', { isAnswered: true }, 12],
    ['in every fourth while both sides speak', { isInUse: true, isAnswered: true }, 3],
    ['in every interval while its round trip is not known', { isInUse: true }, 12],
  ])('%s', (_, stream, beats) => {
    expect(beatsOf(12, stream)).toBe(beats);
  });

  test('whatever happens on it, neither side waits for the other longer than two intervals', () => {
    const happening = fc.record({ heard: fc.boolean(), said: fc.boolean() });
    const quiet = fc.constant({ heard: false, said: false });
    const ticks = fc.oneof({ arbitrary: happening, weight: 1 }, { arbitrary: quiet, weight: 12 });
    fc.assert(
      fc.property(fc.array(ticks, { minLength: 60, maxLength: 200 }), (happens) => {
        const heartbeat = new Heartbeat(0, SAMPLE_EXECUTOR_ID);
        const heardMs = [0];
        const saidMs = [0];
        for (const [i, { heard, said }] of happens.entries()) {
          const nowMs = (i + 1) * TICK_MS;
          if (heard) heartbeat.heard(nowMs);
          if (said) heartbeat.said();
          const number = heartbeat.due(nowMs);
          if (number !== undefined) {
            heartbeat.said();
            heartbeat.answered(number, nowMs);
          }
          if (heard || number !== undefined) heardMs.push(nowMs);
          if (said || number !== undefined) saidMs.push(nowMs);
        }
        const waitMs = 2 * HEARTBEAT_INTERVAL_MS + TICK_MS;
        expect(waitMs).toBeLessThan(READ_TIMEOUT_MS);
        expect(longestMs(heardMs)).toBeLessThanOrEqual(waitMs);
        expect(longestMs(saidMs)).toBeLessThanOrEqual(waitMs);
      }),
    );
  });
});

function longestMs(times: readonly number[]): number {
  return Math.max(...times.map((ms, i) => ms - (times[i - 1] ?? 0)));
}

test('the round trip is that of the latest question', () => {
  const heartbeat = new Heartbeat(0, SAMPLE_EXECUTOR_ID);
  const number = heartbeat.due(HEARTBEAT_INTERVAL_MS) ?? 0n;
  heartbeat.answered(number - 1n, HEARTBEAT_INTERVAL_MS + 3);
  expect(heartbeat.roundTripMs).toBeNull();
  heartbeat.answered(number, HEARTBEAT_INTERVAL_MS + 5);
  expect(heartbeat.roundTripMs).toBe(5);
  expect(heartbeat.silenceMs(HEARTBEAT_INTERVAL_MS + 7)).toBe(2);
});
