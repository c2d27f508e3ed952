import type { Command, CommandError, TerminalState } from '../../services/command/domain/command.ts';
import { type CommandEvent, type Transitioned, transition } from '../../services/command/domain/transition.ts';
import { SAMPLE_NOW_MS, sampleCommand } from './sample-commands.ts';

export const T0 = SAMPLE_NOW_MS;
export const NOW = T0 + 1_000;
export const HALF = (): number => 0.5;

export const venueDown: CommandError = {
  reason: 'VENUE_UNAVAILABLE',
  message: 'no route',
  hop: 'venue',
  retryable: true,
  metadata: {},
};
export const venueSaysNo: CommandError = {
  ...venueDown,
  reason: 'VENUE_REJECTED',
  message: 'no funds',
  retryable: false,
};

export function ended(state: TerminalState, error: CommandError | null = null, attempt = 1, atMs = NOW): CommandEvent {
  return { type: 'finished', atMs, attempt, state, result: new Uint8Array([7]), error };
}

/** A result as an operator found it at the venue; opaque to the domain. */
export const FILLED = new Uint8Array([9]);

export const EVENTS = {
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
  journal_lost: { type: 'journal_lost' },
  overdue: { type: 'overdue', linkAlive: true },
  cancel_requested: { type: 'cancel_requested' },
  superseded: { type: 'superseded', by: 'stop-1' },
  refused: { type: 'refused', error: { ...venueSaysNo, reason: 'KIND_UNSUPPORTED' } },
  quarantined: { type: 'quarantined', defect: 'kind: junk' },
  seen: { type: 'operator_settled', happened: true, by: 'alice', note: 'order 77 is filled', result: FILLED },
  not_seen: { type: 'operator_settled', happened: false, by: 'alice', note: 'no such order', result: null },
} as const satisfies Record<string, CommandEvent>;

export type EventName = keyof typeof EVENTS;

export function names<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(record).filter((name): name is K => name in record);
}

/** Follows events from the issued command; each must change it. */
export function after(events: readonly CommandEvent[], command = sampleCommand()): Command {
  return events.reduce((current, event) => moved(current, event, T0 + 10).command, command);
}

export function moved(command: Command, event: CommandEvent, nowMs: number): Transitioned {
  const next = transition(command, event, nowMs, HALF);
  if (next === null) throw new Error(`${event.type} changes nothing in ${command.state}`);
  return next;
}

export const SENT: CommandEvent = { type: 'sent', epoch: 3, journalId: 'j1' };
export const RECEIVED: CommandEvent = { type: 'received', atMs: T0 + 10 };
export const STARTED: CommandEvent = { type: 'started', atMs: T0 + 10 };

export const FROM = {
  PENDING: sampleCommand(),
  /** Sent, and given back by an agent that had not received it. */
  given_back: after([SENT, { type: 'not_found' }]),
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
  settled_as_seen: after([SENT, { type: 'journal_lost' }, EVENTS.seen]),
  settled_as_not_seen: after([SENT, { type: 'journal_lost' }, EVENTS.not_seen]),
} as const satisfies Record<string, Command>;

export type FromName = keyof typeof FROM;
