import { describe, expect, test } from 'vitest';
import { sampleCommand, SAMPLE_NOW_MS } from '../../../test/harness/sample-commands.ts';
import type { Command, CommandError, CommandState, TerminalState } from './command.ts';
import { AGENT_GRACE_MS, type CommandEvent, dueMs, type Transitioned, transition } from './transition.ts';

const T0 = SAMPLE_NOW_MS;
const NOW = T0 + 1_000;
const HALF = (): number => 0.5;

const venueDown: CommandError = {
  reason: 'VENUE_UNAVAILABLE',
  message: 'no route',
  hop: 'venue',
  retryable: true,
  metadata: {},
};
const venueSaysNo: CommandError = { ...venueDown, reason: 'VENUE_REJECTED', message: 'no funds', retryable: false };

function ended(state: TerminalState, error: CommandError | null = null, attempt = 1, atMs = NOW): CommandEvent {
  return { type: 'finished', atMs, attempt, state, result: new Uint8Array([7]), error };
}

const EVENTS = {
  sent: { type: 'sent', epoch: 4, journalId: 'j1' },
  received: { type: 'received', atMs: NOW },
  started: { type: 'started', atMs: NOW },
  progressed: { type: 'progressed', atMs: NOW, progress: new Uint8Array([5]) },
  succeeded: ended('SUCCEEDED'),
  failed: ended('FAILED', venueSaysNo),
  failed_in_passing: ended('FAILED', venueDown),
  rejected: ended('REJECTED', venueSaysNo),
  agent_unknown: ended('OUTCOME_UNKNOWN', { ...venueSaysNo, reason: 'EFFECT_UNCERTAIN' }),
  not_found: { type: 'not_found' },
  not_received: { type: 'not_received' },
  journal_lost: { type: 'journal_lost' },
  overdue: { type: 'overdue', linkAlive: true },
  cancel_requested: { type: 'cancel_requested' },
  superseded: { type: 'superseded', by: 'stop-1' },
  refused: { type: 'refused', error: { ...venueSaysNo, reason: 'KIND_UNSUPPORTED' } },
  quarantined: { type: 'quarantined', defect: 'kind: junk' },
} as const satisfies Record<string, CommandEvent>;

type EventName = keyof typeof EVENTS;

function names<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(record).filter((name): name is K => name in record);
}

/** Follows events from the issued command; each must change it. */
function after(events: readonly CommandEvent[], command = sampleCommand()): Command {
  return events.reduce((current, event) => moved(current, event, T0 + 10).command, command);
}

function moved(command: Command, event: CommandEvent, nowMs: number): Transitioned {
  const next = transition(command, event, nowMs, HALF);
  if (next === null) throw new Error(`${event.type} changes nothing in ${command.state}`);
  return next;
}

const SENT: CommandEvent = { type: 'sent', epoch: 3, journalId: 'j1' };
const RECEIVED: CommandEvent = { type: 'received', atMs: T0 + 10 };
const STARTED: CommandEvent = { type: 'started', atMs: T0 + 10 };

const FROM = {
  PENDING: sampleCommand(),
  /** Sent, and given back by an agent that had not received it. */
  given_back: after([SENT, { type: 'not_received' }]),
  SENT: after([SENT]),
  sent_and_cancel_asked: after([SENT, { type: 'cancel_requested' }]),
  RECEIVED: after([SENT, RECEIVED]),
  RUNNING: after([SENT, RECEIVED, STARTED]),
  SUCCEEDED: after([SENT, ended('SUCCEEDED')]),
  FAILED: after([SENT, ended('FAILED', venueSaysNo)]),
  REJECTED: after([SENT, ended('REJECTED', venueSaysNo)]),
  CANCELLED: after([{ type: 'cancel_requested' }]),
  EXPIRED: after([SENT, ended('EXPIRED')]),
  OUTCOME_UNKNOWN: after([SENT, { type: 'journal_lost' }]),
  unknown_after_receipt: after([SENT, RECEIVED, { type: 'journal_lost' }]),
  settled: after([SENT, { type: 'journal_lost' }, ended('SUCCEEDED')]),
} as const satisfies Record<string, Command>;

type FromName = keyof typeof FROM;

/** `null`: nothing changes. Otherwise the state that follows and the cause that history names. */
type Expected = readonly [CommandState, string] | null;

const NOTHING: Record<EventName, Expected> = {
  sent: null,
  received: null,
  started: null,
  progressed: null,
  succeeded: null,
  failed: null,
  failed_in_passing: null,
  rejected: null,
  agent_unknown: null,
  not_found: null,
  not_received: null,
  journal_lost: null,
  overdue: null,
  cancel_requested: null,
  superseded: null,
  refused: null,
  quarantined: null,
};

const UNDELIVERED = {
  cancel_requested: ['CANCELLED', 'cancelled'],
  superseded: ['CANCELLED', 'superseded'],
  quarantined: ['FAILED', 'quarantined'],
  refused: ['REJECTED', 'refused'],
} as const;

const WITH_AGENT = {
  succeeded: ['SUCCEEDED', 'finished'],
  failed: ['FAILED', 'finished'],
  failed_in_passing: ['PENDING', 'failed, to be repeated'],
  rejected: ['REJECTED', 'finished'],
  agent_unknown: ['OUTCOME_UNKNOWN', 'finished'],
  journal_lost: ['OUTCOME_UNKNOWN', 'journal lost'],
  quarantined: ['FAILED', 'quarantined'],
} as const;

// Nothing here is overdue: the deadlines have tests of their own.
const TABLE: Record<FromName, Record<EventName, Expected>> = {
  PENDING: { ...NOTHING, ...UNDELIVERED, sent: ['SENT', 'sent'] },
  given_back: {
    ...NOTHING,
    ...UNDELIVERED,
    sent: ['SENT', 'sent'],
    // The agent had it all the same: an answer that is acknowledged must be kept.
    succeeded: ['SUCCEEDED', 'finished'],
    failed: ['FAILED', 'finished'],
    rejected: ['REJECTED', 'finished'],
    agent_unknown: ['OUTCOME_UNKNOWN', 'finished'],
  },
  SENT: {
    ...NOTHING,
    ...WITH_AGENT,
    sent: ['SENT', 'sent again'],
    received: ['RECEIVED', 'received'],
    started: ['RUNNING', 'started'],
    not_found: ['PENDING', 'not received'],
    not_received: ['PENDING', 'not received'],
    cancel_requested: ['SENT', 'cancel requested'],
    superseded: ['SENT', 'cancel requested'],
  },
  sent_and_cancel_asked: {
    ...NOTHING,
    ...WITH_AGENT,
    // What is to be cancelled is not repeated.
    failed_in_passing: ['FAILED', 'finished'],
    sent: ['SENT', 'sent again'],
    received: ['RECEIVED', 'received'],
    started: ['RUNNING', 'started'],
    not_found: ['CANCELLED', 'cancelled'],
    not_received: ['CANCELLED', 'cancelled'],
  },
  RECEIVED: {
    ...NOTHING,
    ...WITH_AGENT,
    started: ['RUNNING', 'started'],
    not_found: ['OUTCOME_UNKNOWN', 'journal lost'],
    not_received: ['OUTCOME_UNKNOWN', 'journal lost'],
    cancel_requested: ['RECEIVED', 'cancel requested'],
    superseded: ['RECEIVED', 'cancel requested'],
  },
  RUNNING: {
    ...NOTHING,
    ...WITH_AGENT,
    progressed: ['RUNNING', 'progressed'],
    not_found: ['OUTCOME_UNKNOWN', 'journal lost'],
    not_received: ['OUTCOME_UNKNOWN', 'journal lost'],
    cancel_requested: ['RUNNING', 'cancel requested'],
    superseded: ['RUNNING', 'cancel requested'],
  },
  SUCCEEDED: NOTHING,
  FAILED: NOTHING,
  REJECTED: NOTHING,
  CANCELLED: NOTHING,
  EXPIRED: NOTHING,
  OUTCOME_UNKNOWN: {
    ...NOTHING,
    succeeded: ['SUCCEEDED', 'settled'],
    failed: ['FAILED', 'settled'],
    failed_in_passing: ['FAILED', 'settled'],
    rejected: ['REJECTED', 'settled'],
    not_found: ['EXPIRED', 'settled'],
  },
  unknown_after_receipt: {
    ...NOTHING,
    succeeded: ['SUCCEEDED', 'settled'],
    failed: ['FAILED', 'settled'],
    failed_in_passing: ['FAILED', 'settled'],
    rejected: ['REJECTED', 'settled'],
    // It had been received: "never received" would be a lie.
    not_found: null,
  },
  settled: NOTHING,
};

describe('every state × every event', () => {
  for (const from of names(FROM)) {
    for (const name of names(EVENTS)) {
      const expected = TABLE[from][name];
      test(`${from} × ${name} → ${expected === null ? 'nothing' : `${expected[0]}, "${expected[1]}"`}`, () => {
        const next = transition(FROM[from], EVENTS[name], NOW, HALF);
        expect(next === null ? null : [next.command.state, next.step.cause]).toEqual(expected);
      });
    }
  }
});

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
    expect(moved(FROM.SENT, EVENTS.not_received, NOW).command).toMatchObject({
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

  test('of a command that never arrived becomes EXPIRED, NEVER_RECEIVED', () => {
    const { command } = moved(FROM.OUTCOME_UNKNOWN, EVENTS.not_found, NOW);
    expect(command).toMatchObject({ state: 'EXPIRED', unsettled: false, error: { reason: 'NEVER_RECEIVED' } });
  });
});

test('dueMs alone is finite in every open state and infinite in every terminal one', () => {
  for (const command of Object.values(FROM)) {
    expect(dueMs(command, NOW)).toBe(command.dueMs);
    expect(Number.isFinite(command.dueMs)).toBe(['PENDING', 'SENT', 'RECEIVED', 'RUNNING'].includes(command.state));
  }
});
