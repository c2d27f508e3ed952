import { expect, test } from 'vitest';
import { clockFinding } from './clock.ts';

test('a clock that looks far behind may be right: what the agent said may have been held up on its way', () => {
  const late = clockFinding('clock:vps', -9_100, 0, 'one way');
  expect(late.verdict).toBe('warning');
  expect(late.found).toMatch(/9\.1s behind the platform's, or what it said of itself was that long on its way/);
  expect(late.next).toMatch(/^look at that clock: if it is right, .* its next connection measures anew; .*NTP/);
});

test('a clock that was asked, and looks far behind, is', () => {
  expect(clockFinding('clock', -9_100, 0, 'there and back').found).toMatch(/9\.1s behind the platform's$/);
});

test('no way makes a clock look ahead: that one is wrong', () => {
  const ahead = clockFinding('clock:vps', 31_000, 0, 'one way');
  expect(ahead.verdict).toBe('fault');
  expect(ahead.found).toMatch(/31(\.0)?s ahead of the platform's$/);
  expect(ahead.next).toMatch(/^keep the clock of that machine by NTP/);
});

test('a small difference is no matter in either direction', () => {
  expect([-2_000, 0, 2_000].map((offsetMs) => clockFinding('clock', offsetMs, 0, 'one way').verdict)).toEqual([
    'ok',
    'ok',
    'ok',
  ]);
});
