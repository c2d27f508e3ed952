import { describe, expect, test } from 'vitest';
import { sampleCommand } from '../../../test/harness/sample-commands.ts';
import {
  after,
  ended,
  FROM,
  moved,
  names,
  NOW,
  RECEIVED,
  SENT,
  STARTED,
  T0,
  venueSaysNo,
} from '../../../test/harness/sample-lives.ts';
import { AGENT_GRACE_MS, type CommandEvent, transition } from './transition.ts';

function overdue(linkAlive: boolean): CommandEvent {
  return { type: 'overdue', linkAlive };
}

describe('deadlines', () => {
  test.each(names(FROM))('nothing is overdue before its due time: %s', (from) => {
    const command = FROM[from];
    const justBefore = Number.isFinite(command.dueMs) ? command.dueMs - 1 : T0 + 1e12;
    expect(transition(command, overdue(true), justBefore)).toBeNull();
    expect(transition(command, overdue(false), justBefore)).toBeNull();
  });

  test('deliver_by → EXPIRED, DELIVER_DEADLINE', () => {
    const { command, step } = moved(FROM.PENDING, overdue(false), FROM.PENDING.deadlines.deliverByMs);
    expect(command).toMatchObject({ state: 'EXPIRED', error: { reason: 'DELIVER_DEADLINE', hop: 'stream' } });
    expect(step).toMatchObject({ cause: 'deadline', reason: 'DELIVER_DEADLINE' });
  });

  test('not_after → EXPIRED, NOT_AFTER', () => {
    const fresh = sampleCommand({ notAfterMs: NOW });
    expect(fresh.dueMs).toBe(NOW);
    expect(moved(fresh, overdue(true), NOW).command).toMatchObject({
      state: 'EXPIRED',
      error: { reason: 'NOT_AFTER' },
    });
  });

  test('receive: written again as often as attempts_max says, then OUTCOME_UNKNOWN, RECEIVE_DEADLINE', () => {
    let command = moved(sampleCommand({ attemptsMax: 3 }), SENT, NOW).command;
    for (const span of [1, 2]) {
      expect(command.dueMs).toBe((command.sentMs ?? 0) + span * command.deadlines.receiveWithinMs);
      command = moved(command, SENT, command.dueMs).command;
    }
    const end = moved(command, overdue(true), command.dueMs);
    expect(end.command).toMatchObject({
      state: 'OUTCOME_UNKNOWN',
      unsettled: true,
      error: { reason: 'RECEIVE_DEADLINE', hop: 'stream' },
    });
  });

  test('receive: a live link on which nobody writes again does not postpone the end beyond attempts_max looks', () => {
    let command = moved(sampleCommand({ kind: 'stop_strategy', attemptsMax: 3 }), SENT, NOW).command;
    let looks = 0;
    while (command.state === 'SENT' && looks < 100) {
      command = moved(command, overdue(true), command.dueMs).command;
      looks += 1;
    }
    expect(looks).toBe(3);
    expect(command).toMatchObject({ state: 'OUTCOME_UNKNOWN', error: { reason: 'RECEIVE_DEADLINE' }, attempt: 1 });
  });

  test('receive: without a link it waits for the agent until deliver_by, in one look', () => {
    const lost = moved(FROM.SENT, overdue(false), FROM.SENT.dueMs);
    expect(lost.command).toMatchObject({ state: 'SENT', dueMs: FROM.SENT.deadlines.deliverByMs });
    expect(moved(lost.command, overdue(false), lost.command.dueMs).command).toMatchObject({
      state: 'OUTCOME_UNKNOWN',
      error: { reason: 'RECEIVE_DEADLINE' },
    });
  });

  test('receive: no look is later than finish_by', () => {
    const spans = { deliverWithinMs: 10_000, receiveWithinMs: 600_000, startWithinMs: 1_000, finishWithinMs: 1_000 };
    const sent = moved(sampleCommand({ spans }), SENT, T0).command;
    expect(sent.dueMs).toBe(sent.deadlines.finishByMs);
    const early = { ...sent, dueMs: T0 + 5_000 };
    expect(moved(early, overdue(true), T0 + 5_000).command.dueMs).toBe(sent.deadlines.finishByMs);
  });

  test('start → OUTCOME_UNKNOWN, START_DEADLINE, after a grace in which the agent may say EXPIRED itself', () => {
    const { startWithinMs } = FROM.RECEIVED.deadlines;
    expect(FROM.RECEIVED.dueMs).toBe(T0 + 10 + startWithinMs + AGENT_GRACE_MS);
    const end = moved(FROM.RECEIVED, overdue(true), FROM.RECEIVED.dueMs);
    expect(end.command).toMatchObject({ state: 'OUTCOME_UNKNOWN', error: { reason: 'START_DEADLINE', hop: 'agent' } });
    const expired = { ...venueSaysNo, reason: 'START_DEADLINE' };
    expect(moved(FROM.RECEIVED, ended('EXPIRED', expired), NOW).command).toMatchObject({ state: 'EXPIRED' });
  });

  test('finish → OUTCOME_UNKNOWN, FINISH_DEADLINE', () => {
    expect(FROM.RUNNING.dueMs).toBe(T0 + 10 + FROM.RUNNING.deadlines.finishWithinMs + AGENT_GRACE_MS);
    expect(moved(FROM.RUNNING, overdue(true), FROM.RUNNING.dueMs).command).toMatchObject({
      state: 'OUTCOME_UNKNOWN',
      unsettled: true,
      error: { reason: 'FINISH_DEADLINE', hop: 'agent' },
    });
  });

  test('progress → OUTCOME_UNKNOWN, PROGRESS_DEADLINE; each report postpones it', () => {
    const running = after([SENT, RECEIVED, STARTED], sampleCommand({ kind: 'stop_session' }));
    const within = running.deadlines.progressWithinMs ?? Number.NaN;
    expect(running.dueMs).toBe(T0 + 10 + within + AGENT_GRACE_MS);
    const alive = moved(running, { type: 'progressed', atMs: T0 + 50_000, progress: new Uint8Array() }, T0 + 50_000);
    expect(alive.command.dueMs).toBe(T0 + 50_000 + within + AGENT_GRACE_MS);
    expect(moved(alive.command, overdue(true), alive.command.dueMs).command).toMatchObject({
      state: 'OUTCOME_UNKNOWN',
      error: { reason: 'PROGRESS_DEADLINE' },
    });
  });

  test('a late report of progress never brings the deadline forward', () => {
    const running = after([SENT, RECEIVED, STARTED], sampleCommand({ kind: 'stop_session' }));
    const newer = moved(running, { type: 'progressed', atMs: T0 + 50_000, progress: new Uint8Array() }, T0 + 50_000);
    const older = moved(
      newer.command,
      { type: 'progressed', atMs: T0 + 20_000, progress: new Uint8Array() },
      T0 + 50_001,
    );
    expect(older.command.dueMs).toBe(newer.command.dueMs);
  });

  test('finish_by cuts everything short', () => {
    const spans = { deliverWithinMs: 1_000, startWithinMs: 1_000, finishWithinMs: 1_000 };
    const issued = sampleCommand({ spans, kind: 'stop_session' });
    const { finishByMs } = issued.deadlines;
    const running = after([SENT, RECEIVED], issued);
    const started = moved(running, { type: 'started', atMs: finishByMs - 1 }, finishByMs - 1).command;
    expect(started.dueMs).toBe(finishByMs);
    expect(moved(started, overdue(true), finishByMs).command).toMatchObject({ error: { reason: 'FINISH_DEADLINE' } });
  });
});
