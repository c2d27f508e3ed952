import { describe, expect, test } from 'vitest';
import { SAMPLE_NOW_MS, sampleCommand, sampleOrder } from '../../../test/harness/sample-commands.ts';
import { issue } from './issue.ts';
import { KIND_POLICIES, type Kind, SPAN_MS_MAX } from './kind.ts';
import { AGENT_GRACE_MS } from './transition.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe('what each kind gets when nobody says otherwise', () => {
  test.each<[Kind, number, number, number, number | null, number]>([
    // kind, lane, deliver, start, progress, finish
    ['start_strategy', 1, 5 * MINUTE, 30 * SECOND, null, MINUTE],
    ['stop_strategy', 2, 24 * HOUR, 5 * MINUTE, MINUTE, 10 * MINUTE],
    ['pause', 2, 24 * HOUR, 5 * MINUTE, null, MINUTE],
    ['resume', 1, 5 * MINUTE, 30 * SECOND, null, MINUTE],
    ['stop_all', 3, 24 * HOUR, 5 * MINUTE, MINUTE, 10 * MINUTE],
    ['get_status', 1, MINUTE, 30 * SECOND, null, MINUTE],
    ['start_session', 1, 5 * MINUTE, 30 * SECOND, null, MINUTE],
    ['stop_session', 2, 24 * HOUR, 5 * MINUTE, MINUTE, 10 * MINUTE],
    ['open_position', 1, 5 * MINUTE, 30 * SECOND, null, MINUTE],
    ['close_position', 2, 24 * HOUR, 5 * MINUTE, null, MINUTE],
    ['cancel_orders', 2, 24 * HOUR, 5 * MINUTE, null, MINUTE],
    ['ping', 1, MINUTE, 30 * SECOND, null, MINUTE],
  ])('%s', (kind, lane, deliver, start, progress, finish) => {
    const command = sampleCommand({ kind });
    expect(command.lane).toBe(lane);
    expect(command.attemptsMax).toBe(3);
    expect(command.deadlines).toEqual({
      deliverByMs: SAMPLE_NOW_MS + deliver,
      receiveWithinMs: 5 * SECOND,
      startWithinMs: start,
      progressWithinMs: progress,
      finishWithinMs: finish,
      finishByMs: SAMPLE_NOW_MS + deliver + start + finish + 2 * AGENT_GRACE_MS,
      notAfterMs: null,
    });
  });

  test('every kind is in the table', () => {
    expect(Object.keys(KIND_POLICIES).length).toBe(12);
  });
});

describe('a new command', () => {
  test('is PENDING, version 1, due when it expires, and its history begins', () => {
    const { command, step } = issue(sampleOrder(), SAMPLE_NOW_MS);
    expect(command).toMatchObject({ state: 'PENDING', version: 1, attempt: 0, sequence: 0, createMs: SAMPLE_NOW_MS });
    expect(command.dueMs).toBe(command.deadlines.deliverByMs);
    expect(step).toEqual({ from: null, to: 'PENDING', atMs: SAMPLE_NOW_MS, cause: 'issued', attempt: 0 });
  });

  test('is due at not_after when that is sooner', () => {
    expect(sampleCommand({ notAfterMs: SAMPLE_NOW_MS + 5 }).dueMs).toBe(SAMPLE_NOW_MS + 5);
    const later = sampleCommand({ notAfterMs: SAMPLE_NOW_MS + 24 * HOUR });
    expect(later.dueMs).toBe(later.deadlines.deliverByMs);
  });

  test('takes the caller’s spans, lane and attempts, and its own finish_by follows them', () => {
    const spans = {
      deliverWithinMs: 1_000,
      receiveWithinMs: 2_000,
      startWithinMs: 3_000,
      progressWithinMs: 4_000,
      finishWithinMs: 5_000,
    };
    const command = sampleCommand({ kind: 'stop_session', spans, lane: 1, attemptsMax: 7 });
    expect(command).toMatchObject({ lane: 1, attemptsMax: 7 });
    expect(command.deadlines).toMatchObject({
      deliverByMs: SAMPLE_NOW_MS + 1_000,
      receiveWithinMs: 2_000,
      startWithinMs: 3_000,
      progressWithinMs: 4_000,
      finishWithinMs: 5_000,
      finishByMs: SAMPLE_NOW_MS + 9_000 + 2 * AGENT_GRACE_MS,
    });
  });

  test('with the longest spans still has times that a clock can hold', () => {
    const longest = { deliverWithinMs: SPAN_MS_MAX, startWithinMs: SPAN_MS_MAX, finishWithinMs: SPAN_MS_MAX };
    expect(Number.isSafeInteger(sampleCommand({ spans: longest }).deadlines.finishByMs)).toBe(true);
  });
});
