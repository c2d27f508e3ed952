import { describe, expect, test } from 'vitest';
import { sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import { sampleExecutor } from '../../../test/harness/sample-executors.ts';
import { sampleRefusal } from '../../../test/harness/sample-refusals.ts';
import type { Command, CommandError } from './command.ts';
import type { Executor } from './executor.ts';
import { explain, type Situation } from './explain.ts';
import type { IssueOrder } from './issue.ts';
import { spanText } from './span-text.ts';
import { transition } from './transition.ts';

const ISSUED_MS = Date.UTC(2024, 4, 6, 9, 13, 0);
const NOW_MS = ISSUED_MS + 62_000;
const OFFLINE: Partial<Executor> = { online: false, disconnectMs: NOW_MS };

function command(overrides: Partial<Command> = {}, order: Partial<IssueOrder> = {}): Command {
  return sampleCommand(order, overrides, ISSUED_MS);
}

function failure(overrides: Partial<CommandError> = {}): CommandError {
  return {
    reason: 'VENUE_UNAVAILABLE',
    message: 'the venue is closed',
    hop: 'venue',
    retryable: true,
    metadata: {},
    ...overrides,
  };
}

function say(situation: Partial<Omit<Situation, 'executor'>> & { executor?: Partial<Executor> }): [string, string] {
  const { executor, ...rest } = situation;
  const { hop, sentence } = explain({
    command: command(),
    executor: sampleExecutor({
      name: 'vps-7',
      connectMs: ISSUED_MS - 1_000,
      online: true,
      inFlightMax: 256,
      ...executor,
    }),
    refusal: null,
    inFlight: 0,
    blocking: [],
    progress: '',
    nowMs: NOW_MS,
    ...rest,
  });
  return [hop, sentence];
}

const sent: Partial<Command> = {
  state: 'SENT',
  attempt: 2,
  sentMs: NOW_MS - 2_000,
  resends: 1,
  dueMs: NOW_MS + 3_000,
};
const received: Partial<Command> = { ...sent, state: 'RECEIVED', receivedMs: NOW_MS - 1_000, dueMs: NOW_MS + 31_000 };
const running: Partial<Command> = { ...received, state: 'RUNNING', startMs: NOW_MS - 20_000, dueMs: NOW_MS + 42_000 };

describe('a PENDING command', () => {
  test('waits for an executor that is offline', () => {
    expect(say({ executor: OFFLINE })).toEqual([
      'EXECUTOR_OFFLINE',
      'waiting for executor vps-7, offline since 09:14:02; expires in 3m58s',
    ]);
  });

  test('waits for an executor whose replica died, since that was heard of last', () => {
    const executor = { online: false, disconnectMs: null, ownerSeenMs: NOW_MS - 60_000 };
    expect(say({ executor })).toEqual([
      'EXECUTOR_OFFLINE',
      'waiting for executor vps-7, offline since 09:13:02; expires in 3m58s',
    ]);
  });

  test('waits for an executor whose agent is refused, and says why and what to do', () => {
    const refusal = sampleRefusal({ sinceMs: NOW_MS - 30_000, atMs: NOW_MS + 10 });
    const why =
      'the wire format is not known; install an agent of version 1.0.0 (CONTRACT_UNSUPPORTED); install a version that is named on the machine of its agent; strategos contracts can-deploy lists the fleet';
    const since = (time: string): string[] => [
      'AGENT_REFUSED',
      `waiting for executor vps-7, whose agent calls and is refused since ${time}: ${why}; expires in 3m58s`,
    ];
    expect(say({ executor: { connectMs: null, online: false }, refusal })).toEqual(since('09:13:32'));
    // Until then it was connected, and whoever was refused was another one.
    expect(say({ executor: OFFLINE, refusal })).toEqual(since('09:14:02'));
  });

  test('says of an agent that does not call any more when it was refused, and of a wrong secret that anybody may have called', () => {
    const long = { sinceMs: NOW_MS - 600_000, atMs: NOW_MS - 300_000 };
    const gone = { ...OFFLINE, connectMs: NOW_MS - 700_000, disconnectMs: NOW_MS - 600_000 };
    expect(say({ executor: gone, refusal: sampleRefusal(long) })[1]).toContain(
      'whose agent was refused since 09:04:02 and last called at 09:09:02: ',
    );
    const wrong = { sinceMs: NOW_MS, atMs: NOW_MS, isProven: false, agent: null };
    expect(say({ executor: OFFLINE, refusal: sampleRefusal(wrong) })[1]).toContain(
      'for which somebody calls and is refused since 09:14:02: ',
    );
  });

  test('waits for one that is offline or disabled all the same when the refusal is not why', () => {
    const refusal = sampleRefusal({ atMs: NOW_MS - 30_000 });
    expect(say({ executor: OFFLINE, refusal })[0]).toBe('EXECUTOR_OFFLINE');
    expect(say({ executor: { ...OFFLINE, disableMs: NOW_MS }, refusal: sampleRefusal({ atMs: NOW_MS }) })[0]).toBe(
      'EXECUTOR_DISABLED',
    );
  });

  test('waits for an executor that has never connected', () => {
    expect(say({ executor: { connectMs: null, online: false } })).toEqual([
      'EXECUTOR_NEVER_CONNECTED',
      'waiting for executor vps-7, which has never connected; expires in 3m58s',
    ]);
  });

  test('waits in vain for one that is disabled', () => {
    expect(say({ executor: { disableMs: NOW_MS - 2_000 } })).toEqual([
      'EXECUTOR_DISABLED',
      'waiting for executor vps-7, disabled since 09:14:00; expires in 3m58s',
    ]);
  });

  test('waits for credit', () => {
    expect(say({ inFlight: 256 })).toEqual([
      'CREDIT_LIMIT',
      'vps-7 takes 256 commands at once and has 256; expires in 3m58s',
    ]);
  });

  test('waits behind an earlier command, whatever the credit', () => {
    const first = { id: sampleId(9), kind: 'stop_session', state: 'RUNNING' } as const;
    expect(say({ inFlight: 256, blocking: [first] })).toEqual([
      'ORDERING_KEY',
      `waiting behind stop_session ${sampleId(9)} (RUNNING), key "/s1/a/BTC"; expires in 3m58s`,
    ]);
    const second = { id: sampleId(10), kind: 'ping', state: 'SENT' } as const;
    expect(say({ blocking: [first, second, second] })[1]).toBe(
      `waiting behind stop_session ${sampleId(9)} (RUNNING) and 2 more, key "/s1/a/BTC"; expires in 3m58s`,
    );
  });

  test('waits for its next try', () => {
    const failed = command({ attempt: 1, failures: 1, retryMs: NOW_MS + 12_000, error: failure() });
    expect(say({ command: failed })).toEqual([
      'RETRY_BACKOFF',
      'attempt 1 failed: the venue is closed (VENUE_UNAVAILABLE); tried again in 12s; fails for good in 3m58s',
    ]);
    // The backoff is over, and now the executor is what is missing.
    expect(say({ command: { ...failed, retryMs: NOW_MS }, executor: OFFLINE })[0]).toBe('EXECUTOR_OFFLINE');
    expect(say({ command: { ...failed, retryMs: NOW_MS } })[0]).toBe('DISPATCH');
  });

  test('is about to be written', () => {
    expect(say({})).toEqual(['DISPATCH', 'about to be written to vps-7; expires in 3m58s']);
  });

  test('expires at its not_after when that is earlier, and any moment when it is over', () => {
    expect(say({ command: command({}, { notAfterMs: NOW_MS + 5_000 }), executor: OFFLINE })[1]).toMatch(
      /; expires in 5s$/,
    );
    expect(say({ command: command({ dueMs: NOW_MS - 1 }) })[1]).toMatch(/; expires any moment$/);
  });
});

/** The command after its due time; while its executor is away, after the next one too. */
function overdueTwice(written: Command, linkAlive: boolean): Command {
  const once = transition(written, { type: 'overdue', linkAlive }, written.dueMs)?.command ?? written;
  if (linkAlive || once.state !== 'SENT') return once;
  return transition(once, { type: 'overdue', linkAlive }, once.dueMs)?.command ?? once;
}

function unknownIn(endMs: number): RegExp {
  return new RegExp(`; its outcome counts as unknown in ${spanText(endMs - NOW_MS)}$`);
}

describe('a command with the agent', () => {
  test('was written and is not acknowledged', () => {
    expect(say({ command: command(sent) })).toEqual([
      'RECEIPT',
      'written to vps-7 at 09:14:00 (attempt 2) and not acknowledged; written again in 3s',
    ]);
    expect(say({ command: command({ ...sent, resends: 2 }) })[1]).toMatch(/; its outcome counts as unknown in 3s$/);
    expect(say({ command: command(sent), executor: OFFLINE })).toEqual([
      'EXECUTOR_OFFLINE',
      'written to vps-7 at 09:14:00 (attempt 2) and not acknowledged; waiting for executor vps-7, offline since 09:14:02; its outcome counts as unknown in 3m58s',
    ]);
    expect(
      say({ command: command({ ...sent, resends: 2 }, { notAfterMs: NOW_MS + 9_000 }), executor: OFFLINE })[1],
    ).toMatch(/; its outcome counts as unknown in 9s$/);
  });

  test('is said to end when the state machine ends it, with its agent there or away', () => {
    for (const notAfterMs of [null, NOW_MS + 1_000, NOW_MS + 9_000]) {
      for (const resends of [0, 1, 2]) {
        for (const online of [true, false]) {
          const written = command({ ...sent, resends }, { notAfterMs });
          const looked = overdueTwice(written, online);
          const sentence = say({ command: written, executor: online ? {} : OFFLINE })[1];
          const expected = looked.state === 'SENT' ? /; written again in 3s$/ : unknownIn(looked.finishMs ?? 0);
          expect(sentence).toMatch(expected);
        }
      }
    }
  });

  test('was received and is not started', () => {
    expect(say({ command: command(received) })).toEqual([
      'AGENT_START',
      'in the journal of vps-7 since 09:14:01 and not started; its outcome counts as unknown in 31s',
    ]);
    expect(say({ command: command(received), executor: OFFLINE })[0]).toBe('EXECUTOR_OFFLINE');
  });

  test('is running', () => {
    expect(say({ command: command(running), progress: '30 %, closing' })).toEqual([
      'EXECUTION',
      'running on vps-7 since 09:13:42 (30 %, closing); its outcome counts as unknown in 42s',
    ]);
  });

  test('runs for too long', () => {
    const late = command({ ...running, startMs: NOW_MS - 61_000, dueMs: NOW_MS + 1_000 });
    expect(say({ command: late })).toEqual([
      'OVERRUN',
      'running on vps-7 since 09:13:01, 1s longer than the 1m it was given; its outcome counts as unknown in 1s',
    ]);
  });

  test('has gone silent', () => {
    const silent = command({ ...running, progressMs: NOW_MS - 15_000, dueMs: NOW_MS + 1_000 });
    const deadlines = { ...silent.deadlines, progressWithinMs: 10_000 };
    expect(say({ command: { ...silent, deadlines } })).toEqual([
      'OVERRUN',
      'running on vps-7 since 09:13:42, silent for 15s where 10s are allowed; its outcome counts as unknown in 1s',
    ]);
  });

  test('is being cancelled', () => {
    expect(say({ command: command({ ...running, cancelRequestMs: NOW_MS - 1_000 }) })[1]).toMatch(
      /; cancellation was asked of the agent at 09:14:01, its answer decides$/,
    );
  });
});

describe('a command that has ended', () => {
  const ended = { finishMs: NOW_MS, dueMs: Infinity, attempt: 1 };
  test.each<[Partial<Command>, string, string]>([
    [{ state: 'SUCCEEDED' }, 'NONE', 'succeeded at 09:14:02, 1m2s after it was accepted'],
    [
      { state: 'FAILED', attempt: 3, error: failure() },
      'NONE',
      'failed at 09:14:02 after 3 attempts: the venue is closed (VENUE_UNAVAILABLE)',
    ],
    [
      { state: 'REJECTED', error: failure({ reason: 'LOCAL_LIMIT', message: 'DOGE is not allowed', hop: 'agent' }) },
      'REFUSED',
      'refused by the agent at 09:14:02 before any effect: DOGE is not allowed (LOCAL_LIMIT)',
    ],
    [
      { state: 'REJECTED', error: failure({ reason: 'VENUE_REJECTED', message: '' }) },
      'REFUSED',
      'refused by the venue at 09:14:02 before any effect: VENUE_REJECTED',
    ],
    [
      { state: 'CANCELLED', error: failure({ reason: 'CANCELLED', message: 'cancelled before it was delivered' }) },
      'NONE',
      'cancelled at 09:14:02: cancelled before it was delivered (CANCELLED)',
    ],
    [
      { state: 'EXPIRED', error: failure({ reason: 'DELIVER_DEADLINE', message: 'no agent took it' }) },
      'NONE',
      'expired at 09:14:02, was never started and never will be: no agent took it (DELIVER_DEADLINE)',
    ],
    [
      {
        state: 'OUTCOME_UNKNOWN',
        unsettled: true,
        error: failure({ reason: 'FINISH_DEADLINE', message: 'it did not finish' }),
      },
      'NONE',
      `outcome unknown since 09:14:02: it did not finish (FINISH_DEADLINE); vps-7 is asked what became of it, and its answer settles it; if none comes, look at the venue and settle it by what you see there (strategos command settle ${sampleId(1)})`,
    ],
    [
      {
        state: 'OUTCOME_UNKNOWN',
        unsettled: true,
        error: failure({ reason: 'JOURNAL_LOST', message: 'another journal' }),
      },
      'NONE',
      `outcome unknown since 09:14:02: another journal (JOURNAL_LOST); only the journal that was lost could tell: look at the venue and settle it by what you see there (strategos command settle ${sampleId(1)})`,
    ],
    [
      { state: 'SUCCEEDED', settleMs: NOW_MS + 1_000 },
      'NONE',
      "succeeded at 09:14:02, 1m2s after it was accepted; its outcome had been unknown until the agent's late answer at 09:14:03",
    ],
    [
      { state: 'SUCCEEDED', settleMs: NOW_MS + 1_000, settledBy: 'alice', note: 'order 77 is filled' },
      'NONE',
      'had its effect, by the word of operator alice at 09:14:03: order 77 is filled; its outcome had been unknown since 09:14:02',
    ],
    [
      {
        state: 'FAILED',
        settleMs: NOW_MS + 1_000,
        settledBy: 'alice',
        note: 'no such order',
        error: failure({ reason: 'NO_EFFECT_SEEN', message: 'settled by alice' }),
      },
      'NONE',
      'had no effect, by the word of operator alice at 09:14:03: no such order; its outcome had been unknown since 09:14:02',
    ],
    // Rows may lack what only old or foreign writers left out.
    [{ state: 'FAILED', finishMs: null }, 'NONE', 'failed'],
    [{ state: 'SUCCEEDED', finishMs: null }, 'NONE', 'succeeded'],
  ])('%#: says how, when and why', (overrides, hop, sentence) => {
    expect(say({ command: command({ ...ended, ...overrides }), executor: OFFLINE })).toEqual([hop, sentence]);
  });
});
