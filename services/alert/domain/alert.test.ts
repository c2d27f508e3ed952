import { describe, expect, test } from 'vitest';
import { type Alert, judge, type Verdict } from './alert.ts';
import type { Condition, Look } from './condition.ts';

const PACE = { recoverAfterMs: 30_000, remindEveryMs: 3_600_000 };
const NOW_MS = 1_000_000_000;
const OFFLINE: Condition = {
  accountId: 'main',
  rule: 'EXECUTOR_OFFLINE',
  subject: 'vps-1',
  sentence: 'executor vps-1 is offline',
  next: '',
};

function look(conditions: readonly Condition[], covered = true): Look {
  return { conditions, covers: () => covered };
}

/** Judges one look after the other, as stored in between; answers each alert's notice. */
class Story {
  mayBegin = true;
  readonly #stored = new Map<string, Alert>();

  at(ms: number, found: Look): (string | undefined)[] {
    const verdicts: Verdict[] = judge([...this.#stored.values()], found, {
      pace: PACE,
      mayBegin: () => this.mayBegin,
      nowMs: NOW_MS + ms,
    });
    for (const { alert } of verdicts) this.#stored.set(`${alert.accountId} ${alert.rule} ${alert.subject}`, alert);
    return verdicts.map(({ notice }) => notice);
  }

  get alerts(): readonly Alert[] {
    return [...this.#stored.values()];
  }
}

describe('an alert', () => {
  test('is told once when it begins, however often it is found', () => {
    const story = new Story();
    expect(story.at(0, look([OFFLINE]))).toEqual(['FIRING']);
    expect(story.at(5_000, look([{ ...OFFLINE, sentence: 'still' }]))).toEqual([undefined]);
    expect(story.alerts).toMatchObject([
      { state: 'FIRING', fireMs: NOW_MS, seenMs: NOW_MS + 5_000, sentence: 'still' },
    ]);
  });

  test('is one for each account, rule and subject', () => {
    const story = new Story();
    const others = [
      { ...OFFLINE, accountId: 'other' },
      { ...OFFLINE, subject: 'vps-2' },
    ];
    expect(story.at(0, look([OFFLINE, ...others]))).toEqual(['FIRING', 'FIRING', 'FIRING']);
    expect(story.at(1_000, look([OFFLINE, ...others]))).toEqual([undefined, undefined, undefined]);
  });

  test('is told again every so often while it goes on', () => {
    const story = new Story();
    story.at(0, look([OFFLINE]));
    expect(story.at(3_599_999, look([OFFLINE]))).toEqual([undefined]);
    expect(story.at(3_600_000, look([OFFLINE]))).toEqual(['REMINDER']);
    expect(story.at(3_605_000, look([OFFLINE]))).toEqual([undefined]);
    expect(story.at(7_200_000, look([OFFLINE]))).toEqual(['REMINDER']);
  });

  test('has recovered when it was not found for long enough; what flickers stays one alert', () => {
    const story = new Story();
    story.at(0, look([OFFLINE]));
    expect(story.at(29_999, look([]))).toEqual([]);
    expect(story.at(29_999, look([OFFLINE]))).toEqual([undefined]);
    expect(story.at(59_998, look([]))).toEqual([]);
    expect(story.at(59_999, look([]))).toEqual(['RECOVERED']);
    expect(story.at(70_000, look([]))).toEqual([]);
    expect(story.alerts).toMatchObject([{ state: 'RECOVERED', recoverMs: NOW_MS + 59_999 }]);
  });

  test('that comes again is told again, as another occurrence', () => {
    const story = new Story();
    story.at(0, look([OFFLINE]));
    story.at(40_000, look([]));
    expect(story.at(50_000, look([OFFLINE]))).toEqual(['FIRING']);
    expect(story.alerts).toMatchObject([{ state: 'FIRING', occurrence: 2, fireMs: NOW_MS + 50_000, recoverMs: null }]);
  });

  test('does not begin before it may, and one that fires goes on all the same', () => {
    const story = new Story();
    story.mayBegin = false;
    expect(story.at(0, look([OFFLINE]))).toEqual([]);
    story.mayBegin = true;
    expect(story.at(1_000, look([OFFLINE]))).toEqual(['FIRING']);
    story.mayBegin = false;
    expect(story.at(40_000, look([OFFLINE]))).toEqual([undefined]);
    expect(story.alerts).toMatchObject([{ state: 'FIRING', seenMs: NOW_MS + 40_000 }]);
  });

  test('goes on while its rule cannot be looked at', () => {
    const story = new Story();
    story.at(0, look([OFFLINE]));
    expect(story.at(100_000, look([], false))).toEqual([]);
    expect(story.alerts).toMatchObject([{ state: 'FIRING' }]);
  });
});
