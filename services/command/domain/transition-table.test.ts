import { describe, expect, test } from 'vitest';
import { EVENTS, type EventName, FROM, type FromName, HALF, names, NOW } from '../../../test/harness/sample-lives.ts';
import type { CommandState } from './command.ts';
import { dueMs, transition } from './transition.ts';

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
  journal_lost: null,
  overdue: null,
  cancel_requested: null,
  superseded: null,
  refused: null,
  quarantined: null,
  seen: null,
  not_seen: null,
};

const BY_OPERATOR = {
  seen: ['SUCCEEDED', 'settled by an operator'],
  not_seen: ['FAILED', 'settled by an operator'],
} as const;

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
  },
  RECEIVED: {
    ...NOTHING,
    ...WITH_AGENT,
    started: ['RUNNING', 'started'],
    not_found: ['OUTCOME_UNKNOWN', 'journal lost'],
    cancel_requested: ['RECEIVED', 'cancel requested'],
    superseded: ['RECEIVED', 'cancel requested'],
  },
  RUNNING: {
    ...NOTHING,
    ...WITH_AGENT,
    progressed: ['RUNNING', 'progressed'],
    not_found: ['OUTCOME_UNKNOWN', 'journal lost'],
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
    ...BY_OPERATOR,
    succeeded: ['SUCCEEDED', 'settled'],
    failed: ['FAILED', 'settled'],
    failed_in_passing: ['FAILED', 'settled'],
    rejected: ['REJECTED', 'settled'],
    not_found: ['EXPIRED', 'settled'],
  },
  unknown_after_receipt: {
    ...NOTHING,
    ...BY_OPERATOR,
    succeeded: ['SUCCEEDED', 'settled'],
    failed: ['FAILED', 'settled'],
    failed_in_passing: ['FAILED', 'settled'],
    rejected: ['REJECTED', 'settled'],
    // It had been received: "never received" would be a lie.
    not_found: null,
  },
  settled: NOTHING,
  settled_as_seen: NOTHING,
  settled_as_not_seen: NOTHING,
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

test('dueMs alone is finite in every open state and infinite in every terminal one', () => {
  for (const command of Object.values(FROM)) {
    expect(dueMs(command, NOW)).toBe(command.dueMs);
    expect(Number.isFinite(command.dueMs)).toBe(['PENDING', 'SENT', 'RECEIVED', 'RUNNING'].includes(command.state));
  }
});
