import { describe, expect, test } from 'vitest';
import { sampleCommand } from '../../../test/harness/sample-commands.ts';
import {
  after,
  ended,
  EVENTS,
  FILLED,
  FROM,
  moved,
  NOW,
  SENT,
  T0,
  venueDown,
} from '../../../test/harness/sample-lives.ts';
import { transition } from './transition.ts';

describe('facts of one step', () => {
  test('a write counts the attempt and names stream and journal', () => {
    const { command, step } = moved(FROM.PENDING, EVENTS.sent, NOW);
    expect(command).toMatchObject({ attempt: 1, resends: 0, streamEpoch: 4, journalId: 'j1', sentMs: NOW, version: 2 });
    expect(step).toEqual({ from: 'PENDING', to: 'SENT', atMs: NOW, cause: 'sent', attempt: 1, epoch: 4 });
  });

  test('a second write counts as a resend and waits twice as long', () => {
    const { command } = moved(FROM.SENT, EVENTS.sent, NOW);
    expect(command).toMatchObject({ attempt: 2, resends: 1 });
    expect(command.dueMs).toBe(NOW + 2 * command.deadlines.receiveWithinMs);
  });

  test('a receipt carries the moment of the agent, its step the moment of the platform', () => {
    const { command, step } = moved(FROM.SENT, { type: 'received', atMs: NOW - 300 }, NOW);
    expect(command.receivedMs).toBe(NOW - 300);
    expect(step.atMs).toBe(NOW);
  });

  test('a start that comes before its receipt says both', () => {
    expect(moved(FROM.SENT, EVENTS.started, NOW).command).toMatchObject({ receivedMs: NOW, startMs: NOW });
  });

  test.each(['received', 'started'] as const)('an agent cannot move %s before the issue nor after now', (type) => {
    for (const [atMs, told] of [
      [-1e17, T0],
      [T0 - 1, T0],
      [NOW + 1, NOW],
      [Infinity, NOW],
    ] as const) {
      const { command } = moved(FROM.SENT, { type, atMs }, NOW);
      expect(type === 'received' ? command.receivedMs : command.startMs).toBe(told);
    }
  });

  test('an agent cannot move an end or a progress before the issue', () => {
    const { command } = moved(FROM.RUNNING, ended('SUCCEEDED', null, 1, -1e17), NOW);
    expect(command.finishMs).toBe(T0);
    const reported = moved(FROM.RUNNING, { ...EVENTS.progressed, atMs: -1e17 }, NOW);
    expect(reported.command.progressMs).toBe(T0);
    expect(reported.step.atMs).toBe(NOW);
  });

  test('success has no error left of an earlier failure', () => {
    const again = after([SENT, ended('FAILED', venueDown), SENT]);
    expect(again.error).toEqual(venueDown);
    expect(moved(again, ended('SUCCEEDED', null, 2), NOW).command.error).toBeNull();
  });

  test('the end of a supersession names the stop', () => {
    const { command, step } = moved(FROM.PENDING, EVENTS.superseded, NOW);
    expect(command.error).toMatchObject({ reason: 'SUPERSEDED', metadata: { superseded_by: 'stop-1' } });
    expect(step).toMatchObject({ reason: 'SUPERSEDED' });
  });

  test('a quarantined command names its defect', () => {
    const { command } = moved(FROM.RECEIVED, EVENTS.quarantined, NOW);
    expect(command.error).toMatchObject({ reason: 'QUARANTINED', metadata: { defect: 'kind: junk' } });
  });

  test('a cancellation of what is with the agent is noted and asked once', () => {
    const { command } = moved(FROM.RECEIVED, EVENTS.cancel_requested, NOW);
    expect(command).toMatchObject({ state: 'RECEIVED', cancelRequestMs: NOW });
    expect(command.note).toContain('asked of the agent');
    expect(transition(command, EVENTS.cancel_requested, NOW + 5)).toBeNull();
    expect(moved(command, ended('CANCELLED'), NOW + 10).command.state).toBe('CANCELLED');
    expect(moved(command, ended('SUCCEEDED'), NOW + 10).command.state).toBe('SUCCEEDED');
  });

  test('what was not received loses its stream: the next write decides anew', () => {
    expect(moved(FROM.SENT, EVENTS.not_found, NOW).command).toMatchObject({
      streamEpoch: null,
      journalId: null,
      attempt: 1,
      dueMs: FROM.SENT.deadlines.deliverByMs,
    });
  });
});

describe('retry of failures that may pass', () => {
  test('is bounded by attempts_max, with backoff in between, and ends FAILED with the last reason', () => {
    let command = sampleCommand({ attemptsMax: 3 });
    for (const failures of [1, 2]) {
      command = moved(command, SENT, NOW).command;
      command = moved(command, ended('FAILED', venueDown, command.attempt), NOW).command;
      expect(command).toMatchObject({ state: 'PENDING', failures, receivedMs: null, startMs: null, error: venueDown });
      expect(command.retryMs).toBe(NOW + 0.75 * 500 * 2 ** (failures - 1));
      expect(command.note).toContain('no route');
    }
    command = moved(command, SENT, NOW).command;
    expect(command.retryMs).toBeNull();
    command = moved(command, ended('FAILED', venueDown, 3), NOW).command;
    expect(command).toMatchObject({ state: 'FAILED', failures: 3, error: venueDown, dueMs: Infinity });
  });

  test('attempts_max 1 means no repetition', () => {
    const once = moved(sampleCommand({ attemptsMax: 1 }), SENT, NOW).command;
    expect(moved(once, ended('FAILED', venueDown), NOW).command.state).toBe('FAILED');
  });

  test('a repeated report of a failure that was counted counts once', () => {
    const counted = after([SENT, ended('FAILED', venueDown)]);
    expect(transition(counted, ended('FAILED', venueDown, 1), NOW)).toBeNull();
    const sentAgain = moved(counted, SENT, NOW).command;
    expect(transition(sentAgain, ended('FAILED', venueDown, 1), NOW)).toBeNull();
    expect(moved(sentAgain, ended('FAILED', venueDown, 2), NOW).command.failures).toBe(2);
  });

  test('a failure that crosses with a further write is no end: the agent tries again by itself', () => {
    const resent = moved(FROM.SENT, SENT, NOW).command;
    const crossed = moved(resent, ended('FAILED', venueDown, 1), NOW).command;
    expect(crossed).toMatchObject({ state: 'SENT', attempt: 2, failures: 1, error: venueDown, receivedMs: null });
    expect(transition(crossed, ended('FAILED', venueDown, 1), NOW)).toBeNull();
    expect(moved(crossed, ended('SUCCEEDED', null, 2), NOW).command.state).toBe('SUCCEEDED');
    const last = { ...resent, failures: 2, attempt: 4 };
    expect(transition(last, ended('FAILED', venueDown, 3), NOW)).toBeNull();
    expect(moved(last, ended('FAILED', venueDown, 4), NOW).command.state).toBe('FAILED');
  });

  test('does not happen when the repetition would come too late', () => {
    const lastMoment = sampleCommand({ notAfterMs: NOW + 200 });
    const sent = moved(lastMoment, SENT, NOW).command;
    expect(moved(sent, ended('FAILED', venueDown), NOW).command.state).toBe('FAILED');
  });

  test('a retry whose time never comes ends FAILED with what failed, not EXPIRED', () => {
    const waiting = after([SENT, ended('FAILED', venueDown)]);
    const { command } = moved(waiting, { type: 'overdue', linkAlive: false }, waiting.dueMs);
    expect(command).toMatchObject({ state: 'FAILED', error: venueDown });
  });
});

describe('an unknown outcome', () => {
  test('is settled once, which is recorded and shown', () => {
    const { command, step } = moved(FROM.OUTCOME_UNKNOWN, EVENTS.succeeded, NOW);
    expect(command).toMatchObject({ state: 'SUCCEEDED', settleMs: NOW, unsettled: false, error: null });
    expect(command.result).toEqual(new Uint8Array([7]));
    expect(command.finishMs).toBe(FROM.OUTCOME_UNKNOWN.finishMs);
    expect(step).toMatchObject({ from: 'OUTCOME_UNKNOWN', to: 'SUCCEEDED', cause: 'settled' });
  });

  test('that the agent itself could not tell stays open for what it learns later, however often it repeats itself', () => {
    const said = after([SENT, EVENTS.agent_unknown]);
    expect(said).toMatchObject({ state: 'OUTCOME_UNKNOWN', unsettled: true, error: { reason: 'EFFECT_UNCERTAIN' } });
    expect(transition(said, EVENTS.agent_unknown, NOW)).toBeNull();
    expect(moved(said, EVENTS.succeeded, NOW).command).toMatchObject({ state: 'SUCCEEDED', unsettled: false });
  });

  test('that an operator saw at the venue is settled by that word, with whose it is, and not as the agent’s', () => {
    const { command, step } = moved(FROM.OUTCOME_UNKNOWN, EVENTS.seen, NOW);
    expect(command).toMatchObject({
      state: 'SUCCEEDED',
      settleMs: NOW,
      unsettled: false,
      settledBy: 'alice',
      note: 'order 77 is filled',
      result: FILLED,
      error: null,
      dueMs: Infinity,
    });
    expect(command.finishMs).toBe(FROM.OUTCOME_UNKNOWN.finishMs);
    expect(step).toEqual({
      from: 'OUTCOME_UNKNOWN',
      to: 'SUCCEEDED',
      atMs: NOW,
      cause: 'settled by an operator',
      message: 'settled by alice, who saw its effect at the venue: order 77 is filled',
      attempt: 1,
    });
  });

  test('of which an operator saw nothing at the venue fails for good, for a reason of its own', () => {
    const { command, step } = moved(FROM.OUTCOME_UNKNOWN, EVENTS.not_seen, NOW);
    const message = 'settled by alice, who saw no effect of it at the venue: no such order';
    expect(command).toMatchObject({ state: 'FAILED', unsettled: false, settledBy: 'alice', result: null });
    expect(command.error).toEqual({
      reason: 'NO_EFFECT_SEEN',
      message,
      hop: 'platform',
      retryable: false,
      metadata: { settled_by: 'alice' },
    });
    expect(step).toMatchObject({ to: 'FAILED', reason: 'NO_EFFECT_SEEN', message });
    expect(step).not.toHaveProperty('epoch');
  });

  test('of a command that never arrived becomes EXPIRED, NEVER_RECEIVED', () => {
    const { command } = moved(FROM.OUTCOME_UNKNOWN, EVENTS.not_found, NOW);
    expect(command).toMatchObject({ state: 'EXPIRED', unsettled: false, error: { reason: 'NEVER_RECEIVED' } });
  });
});
