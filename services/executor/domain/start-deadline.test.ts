import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetAfterRestart, type ClockReading, isOverdue, unwatchedTime } from './start-deadline.ts';

const SECOND = 1_000;
const at = (seconds: number, over: Partial<ClockReading> = {}): ClockReading => ({
  wallMs: 1_000_000 + seconds * SECOND,
  uptimeMs: 500_000 + seconds * SECOND,
  monotonicMs: seconds * SECOND,
  ...over,
});

function left(then: ClockReading, now: ClockReading, isEntry = true): number {
  return budgetAfterRestart(60 * SECOND, then, now, isEntry).remainingMs;
}

describe('while the agent runs', () => {
  test('a command is overdue when its time has passed, and not before', () => {
    const budget = { remainingMs: 10 * SECOND, since: at(0) };
    expect(isOverdue(budget, at(9.999))).toBe(false);
    expect(isOverdue(budget, at(10))).toBe(true);
  });

  test('steps of the wall clock change nothing, and sleep of the machine counts', () => {
    const budget = { remainingMs: 10 * SECOND, since: at(0) };
    expect(isOverdue(budget, at(5, { wallMs: 0 }))).toBe(false);
    expect(isOverdue(budget, at(5, { wallMs: 9e12 }))).toBe(false);
    expect(isOverdue(budget, at(5, { uptimeMs: 500_000 + 60 * SECOND }))).toBe(true);
  });

  test('without a limit nothing is ever overdue', () => {
    expect(isOverdue({ remainingMs: Number.POSITIVE_INFINITY, since: at(0) }, at(9e9))).toBe(false);
  });
});

describe('after a restart', () => {
  test("the time of the agent's absence is taken off", () => {
    expect(left(at(0), at(20, { monotonicMs: 0 }))).toBe(40 * SECOND);
  });

  test('a machine that was rebooted tells by its wall clock', () => {
    expect(left(at(0), at(45, { uptimeMs: 10 * SECOND, monotonicMs: 0 }))).toBe(15 * SECOND);
  });

  test('a wall clock that went back: entries have no time left, exits what the uptime says', () => {
    const back = at(20, { wallMs: 1_000_000 - 3_600 * SECOND, monotonicMs: 0 });
    expect(unwatchedTime(at(0), back)).toEqual({ atLeastMs: 20 * SECOND, sure: false });
    expect(left(at(0), back)).toBe(0);
    expect(left(at(0), back, false)).toBe(40 * SECOND);
  });

  test('a wall clock that went back by less than the absence is found out by the uptime', () => {
    const back = at(600, { wallMs: 1_000_000 + 10 * SECOND, monotonicMs: 0 });
    expect(left(at(0), back)).toBe(0);
    expect(unwatchedTime(at(0), back).atLeastMs).toBe(600 * SECOND);
  });

  test('without a limit there is none after the restart either', () => {
    const budget = budgetAfterRestart(Number.POSITIVE_INFINITY, at(0), at(9e6), false);
    expect(isOverdue(budget, at(9e7))).toBe(false);
  });

  test('an entry that was late before a restart of the agent is late after it, whatever the wall clock did', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 1_000_000 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        (absentSeconds, stepMs) => {
          const now = at(absentSeconds, { monotonicMs: 0 });
          const budget = budgetAfterRestart(60 * SECOND, at(0), { ...now, wallMs: now.wallMs + stepMs }, true);
          expect(isOverdue(budget, now)).toBe(true);
        },
      ),
    );
  });
});
