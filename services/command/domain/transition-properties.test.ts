import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SAMPLE_NOW_MS, sampleCommand } from '../../../test/harness/sample-commands.ts';
import { type Command, isTerminal, OPEN_STATES, TERMINAL_STATES } from './command.ts';
import { isKind, KIND_POLICIES } from './kind.ts';
import { type CommandEvent, transition } from './transition.ts';

const kinds = fc.constantFrom(...Object.keys(KIND_POLICIES).filter(isKind));
const span = fc.option(fc.integer({ min: 1, max: 3_600_000 }), { nil: undefined });

/** Any command as it may be issued. */
const issued = fc
  .record({
    kind: kinds,
    attemptsMax: fc.integer({ min: 1, max: 10 }),
    notAfterMs: fc.option(fc.integer({ min: -10_000, max: 100_000 }).map((ms) => SAMPLE_NOW_MS + ms)),
    deliver: span,
    receive: span,
    start: span,
    progress: span,
    finish: span,
  })
  .map(({ kind, attemptsMax, notAfterMs, deliver, receive, start, progress, finish }) =>
    sampleCommand({
      kind,
      attemptsMax,
      notAfterMs,
      spans: {
        deliverWithinMs: deliver,
        receiveWithinMs: receive,
        startWithinMs: start,
        progressWithinMs: progress,
        finishWithinMs: finish,
      },
    }),
  );

const ends = fc.constantFrom(...TERMINAL_STATES);
/** How long ago an agent says that something happened; it may be wrong, or lie. */
const age = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
  fc.constantFrom(-5_000, 1e9, 1e18, Infinity),
);

/** An event as a function of the moment at which it arrives. */
type EventAt = (nowMs: number) => CommandEvent;
const events = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('j1', 'j2').map(
      (journalId): EventAt =>
        () => ({ type: 'sent', epoch: 1, journalId }),
    ),
  },
  {
    weight: 3,
    arbitrary: age.map(
      (ms): EventAt =>
        (nowMs) => ({ type: 'received', atMs: nowMs - ms }),
    ),
  },
  {
    weight: 3,
    arbitrary: age.map(
      (ms): EventAt =>
        (nowMs) => ({ type: 'started', atMs: nowMs - ms }),
    ),
  },
  {
    weight: 2,
    arbitrary: age.map(
      (ms): EventAt =>
        (nowMs) => ({
          type: 'progressed',
          atMs: nowMs - ms,
          progress: new Uint8Array([1]),
        }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ state: ends, retryable: fc.boolean(), ms: age, attempt: fc.integer({ min: 0, max: 4 }) })
      .map(
        ({ state, retryable, ms, attempt }): EventAt =>
          (nowMs) => ({
            type: 'finished',
            atMs: nowMs - ms,
            attempt,
            state,
            result: null,
            error:
              state === 'SUCCEEDED'
                ? null
                : { reason: 'VENUE_UNAVAILABLE', message: 'm', hop: 'venue', retryable, metadata: {} },
          }),
      ),
  },
  {
    weight: 4,
    arbitrary: fc.boolean().map(
      (linkAlive): EventAt =>
        () => ({ type: 'overdue', linkAlive }),
    ),
  },
  fc.constantFrom<EventAt>(
    () => ({ type: 'not_found' }),
    () => ({ type: 'journal_lost' }),
    () => ({ type: 'cancel_requested' }),
    () => ({ type: 'superseded', by: 'x' }),
  ),
  fc.boolean().map(
    (happened): EventAt =>
      () => ({ type: 'operator_settled', happened, by: 'alice', note: 'seen', result: null }),
  ),
);

/** Events with the time that passes before each: moments, or until the command is due. */
const walk = fc.array(
  fc.record({ event: events, waitMs: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.constant<'due'>('due')) }),
  { maxLength: 40 },
);

interface Visit {
  readonly before: Command;
  readonly event: CommandEvent;
  readonly after: ReturnType<typeof transition>;
  readonly nowMs: number;
}

function visits(command: Command, path: typeof walk extends fc.Arbitrary<infer T> ? T : never): Visit[] {
  let before = command;
  let nowMs = command.createMs;
  return path.map(({ event, waitMs }) => {
    nowMs = waitMs === 'due' ? Math.max(nowMs, Number.isFinite(before.dueMs) ? before.dueMs : nowMs) : nowMs + waitMs;
    const made = event(nowMs);
    const after = transition(before, made, nowMs, () => 0.5);
    const visit = { before, event: made, after, nowMs };
    before = after?.command ?? before;
    return visit;
  });
}

function holds(check: (visit: Visit, index: number, all: readonly Visit[]) => void): void {
  fc.assert(
    fc.property(issued, walk, (command, path) => {
      visits(command, path).forEach(check);
    }),
    { numRuns: 2_000 },
  );
}

describe('over random events at random moments', () => {
  test('the walks reach every state, and settle', () => {
    const reached = new Set<string>();
    holds(({ after }) => {
      if (after !== null) reached.add(after.command.state).add(after.step.cause);
    });
    expect([...reached]).toEqual(
      expect.arrayContaining([
        ...OPEN_STATES,
        ...TERMINAL_STATES,
        'settled',
        'settled by an operator',
        'deadline',
        'stream lost',
        'receipt overdue',
        'failed, to be repeated',
      ]),
    );
  });

  test('every open state has a due time that is finite and not after finish_by; a terminal one has none', () => {
    holds(({ before, after }) => {
      for (const command of after === null ? [before] : [before, after.command]) {
        if (isTerminal(command.state)) expect(command.dueMs).toBe(Infinity);
        else {
          expect(Number.isFinite(command.dueMs)).toBe(true);
          expect(command.dueMs).toBeLessThanOrEqual(command.deadlines.finishByMs);
        }
      }
    });
  });

  test('a step begins where the last one ended, raises the version by one and never lowers the attempt', () => {
    holds(({ before, after }) => {
      if (after === null) return;
      expect(after.step.from).toBe(before.state);
      expect(after.step.to).toBe(after.command.state);
      expect(after.command.version).toBe(before.version + 1);
      expect(after.command.attempt).toBeGreaterThanOrEqual(before.attempt);
      expect(after.step.attempt).toBe(after.command.attempt);
    });
  });

  test('only a write raises the attempt, by one, and only from PENDING or SENT', () => {
    holds(({ before, event, after }) => {
      if (after === null) return;
      expect(after.command.attempt - before.attempt).toBe(event.type === 'sent' ? 1 : 0);
      if (event.type === 'sent') expect(['PENDING', 'SENT']).toContain(before.state);
    });
  });

  test('what is terminal stays, except that OUTCOME_UNKNOWN is settled at most once, into something known', () => {
    holds(({ before, event, after }, index, all) => {
      if (after === null || !isTerminal(before.state)) return;
      expect(before.state).toBe('OUTCOME_UNKNOWN');
      const isOperators = event.type === 'operator_settled';
      expect(after.step.cause).toBe(isOperators ? 'settled by an operator' : 'settled');
      expect(after.command.settledBy).toBe(isOperators ? 'alice' : null);
      expect(after.command.state).not.toBe('OUTCOME_UNKNOWN');
      expect(after.command.unsettled).toBe(false);
      for (const later of all.slice(index + 1)) expect(later.after).toBeNull();
    });
  });

  test('times lie between the issue and now, and history never goes back', () => {
    holds(({ after, nowMs }) => {
      if (after === null) return;
      const { command, step } = after;
      expect(step.atMs).toBe(nowMs);
      const { sentMs, receivedMs, startMs, progressMs, finishMs, settleMs, cancelRequestMs } = command;
      for (const time of [sentMs, receivedMs, startMs, progressMs, finishMs, settleMs, cancelRequestMs]) {
        if (time === null) continue;
        expect(time).toBeGreaterThanOrEqual(command.createMs);
        expect(time).toBeLessThanOrEqual(nowMs);
      }
    });
  });

  test('nothing is written to a stream after not_after or deliver_by has ended it', () => {
    holds(({ before, event, after, nowMs }) => {
      if (event.type !== 'overdue' || after?.command.state !== 'EXPIRED') return;
      const { deliverByMs, notAfterMs } = before.deadlines;
      expect(before.state).toBe('PENDING');
      expect(nowMs).toBeGreaterThanOrEqual(Math.min(deliverByMs, notAfterMs ?? Infinity));
    });
  });

  test('an end is explained: every end but success and those in the agent’s own words has a reason', () => {
    holds(({ event, after }) => {
      if (after === null || !isTerminal(after.command.state) || event.type === 'finished') return;
      if (after.command.state === 'SUCCEEDED') {
        expect(event.type).toBe('operator_settled');
        expect(after.step.message).toContain('alice');
        return;
      }
      expect(after.command.error?.reason).toMatch(/^[A-Z_]+$/);
      expect(after.step.reason).toBe(after.command.error?.reason);
    });
  });

  test('an agent’s answer is taken or was known: it is dropped only before any write, as a repeat, or after the end', () => {
    holds(({ before, event, after }) => {
      if (event.type !== 'finished' || after !== null || isTerminal(before.state)) return;
      const passing = event.state === 'FAILED' && event.error?.retryable === true;
      expect(before.attempt === 0 || passing).toBe(true);
    });
  });
});

test('looking at each due time ends every command by finish_by, in as many looks as attempts and a few more', () => {
  fc.assert(
    fc.property(issued, walk, fc.infiniteStream(fc.boolean()), (start, path, links) => {
      let command = visits(start, path).findLast(({ after }) => after !== null)?.after?.command ?? start;
      let looks = 0;
      while (!isTerminal(command.state)) {
        const nowMs = command.dueMs;
        expect(nowMs).toBeLessThanOrEqual(command.deadlines.finishByMs);
        const next = transition(command, { type: 'overdue', linkAlive: links.next().value ?? true }, nowMs);
        if (next === null) throw new Error(`${command.state} outlives its due time`);
        command = next.command;
        looks += 1;
        expect(looks).toBeLessThanOrEqual(command.attemptsMax + 2);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('failures that may pass are repeated at most attempts_max times', () => {
  fc.assert(
    fc.property(issued, walk, (command, path) => {
      const repeats = visits(command, path).filter(({ after }) => after?.step.cause === 'failed, to be repeated');
      // One more when it crossed with a further write: that cannot be taken back.
      const crossed = repeats.some(({ after }) => after?.command.state === 'SENT');
      expect(repeats.length).toBeLessThan(command.attemptsMax + (crossed ? 1 : 0));
    }),
    { numRuns: 2_000 },
  );
});
