import { expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import { isDue, PUT_OFF_MS_MAX } from './records.ts';
import { stopSession } from './stopping.ts';
import { decide, fill, later, NOW_MS, observe, running } from './test-session.ts';
import { upkeep } from './upkeep.ts';

const LIMITS = { askUnknownAfterMs: 30_000 };
/** By how much the clock of the replica that wrote is ahead of that of the one that reads. */
const AHEAD_MS = 200;

function asReadBehind(draft: Draft): Draft {
  const behind = later(draft, -AHEAD_MS);
  upkeep(behind, LIMITS);
  return behind;
}

test('a stop that another replica has put off is not issued at once', () => {
  const createTimeMs = NOW_MS + AHEAD_MS + PUT_OFF_MS_MAX;
  expect([isDue({ createTimeMs }, NOW_MS), isDue({ createTimeMs }, createTimeMs)]).toEqual([false, true]);
});

test('a close that failed at another replica is not tried again at once', () => {
  const draft = running();
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { fills: [fill('100')] });
  stopSession(draft, false, 'stopped');
  draft.setPosition('e1', { exitReason: 'disconnect' });
  const behind = asReadBehind(draft);
  expect(behind.position('e1')?.state).toBe('OPEN');
  const due = later(behind, 10_000 + AHEAD_MS);
  upkeep(due, LIMITS);
  expect(due.position('e1')?.state).toBe('CLOSING');
});

test('an entry of which another replica has just learnt that nobody knows its outcome is not asked for at once', () => {
  const draft = running();
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { state: 'OUTCOME_UNKNOWN' });
  expect(asReadBehind(draft).commands.some(({ purpose }) => purpose === 'STATUS')).toBe(false);
});

test('a session without prices is flattened in time after the clock was set back by hours', () => {
  const draft = running({ disconnectPolicy: 'FLATTEN', disconnectAfterMs: 60_000 });
  decide(draft, 'ENTER', 'e1');
  observe(draft, 'e1', { fills: [fill('100')] });
  decide(draft, 'INPUT_BLIND', 'b1');
  const back = later(draft, -7_200_000);
  expect(upkeep(back, LIMITS)).toBe(back.nowMs + 60_000);
  const due = later(back, 60_000);
  upkeep(due, LIMITS);
  expect(due.position('e1')).toMatchObject({ state: 'CLOSING', exitReason: 'disconnect' });
});
