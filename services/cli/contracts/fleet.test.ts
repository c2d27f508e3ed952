import { expect, test } from 'vitest';
import { deployable } from './fleet.ts';

const RULES = {
  ownDigest: 'own',
  nowMs: Date.UTC(2026, 5, 1),
  supported: [
    { version: '0.9.0', digest: 'older', supportedUntil: '2026-05-31', differences: [] },
    { version: '1.0.0', digest: 'old', supportedUntil: '2026-05-31', differences: ['a', 'b', 'c', 'd', 'e'] },
    { version: '1.1.0', digest: 'new', supportedUntil: '2026-06-01', differences: [] },
  ],
};

function member(name: string, digest: string, agentVersion = '2.0.0') {
  return { name, digest, agentVersion, lastSeenMs: 0 };
}

function reason(digest: string, agentVersion?: string): string | undefined {
  return deployable([member('a', digest, agentVersion)], RULES)[0]?.reason;
}

test('executors of supported releases stay whole, and those that would break come first', () => {
  const fleet = [member('a', 'new'), member('b', 'old'), member('c', 'own'), member('d', 'else'), member('e', '')];
  expect(deployable(fleet, RULES).map(({ name, release, breaks }) => [name, release, breaks])).toEqual([
    ['b', '1.0.0', true],
    ['d', undefined, true],
    ['e', undefined, true],
    ['a', '1.1.0', false],
    ['c', 'this build', false],
  ]);
  expect(deployable([], RULES)).toEqual([]);
});

test('the reason names the release, its last day, and what of its wire format was not kept', () => {
  expect(reason('new')).toBe('release 1.1.0 is supported until 2026-06-01');
  expect(reason('old')).toBe(
    'support of release 1.0.0 ended on 2026-05-31; this build has changed: a; b; c; and 2 more',
  );
  expect(reason('older')).toBe('support of release 0.9.0 ended on 2026-05-31; this build still keeps its wire format');
  expect(reason('else')).toBe('no release has its wire format; known are 0.9.0, 1.0.0, 1.1.0');
  expect(reason('else', '1.0.0')).toBe(
    'its agent calls itself 1.0.0, but has not the wire format of that release (old…)',
  );
  expect(reason('')).toBe('it names no wire format, so nobody knows what it needs');
  expect(reason('own')).toBe('it speaks the wire format of this build');
});

test('an executor stays whole when a later release that is supported has the wire format of one whose support has ended', () => {
  const ended = { version: '1.0.0', digest: 'same', supportedUntil: '2026-05-31', differences: ['a'] };
  const later = { version: '1.1.0', digest: 'same', supportedUntil: '2026-06-01', differences: ['a'] };
  for (const supported of [
    [ended, later],
    [later, ended],
  ])
    expect(deployable([member('a', 'same', '1.1.0')], { ...RULES, supported })).toMatchObject([
      { release: '1.1.0', breaks: false },
    ]);
});
