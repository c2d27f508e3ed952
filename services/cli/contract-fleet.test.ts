import { expect, test } from 'vitest';
import { deployable } from './contract-fleet.ts';

const RULES = {
  ownDigest: 'own',
  nowMs: Date.UTC(2026, 5, 1),
  supported: [
    { version: '1.0.0', digest: 'old', supportedUntil: '2026-05-31' },
    { version: '1.1.0', digest: 'new', supportedUntil: '2026-06-01' },
  ],
};

function member(name: string, digest: string) {
  return { name, digest, agentVersion: '1', lastSeenMs: 0 };
}

test('executors of supported releases stay whole, and those that would break come first with the reason', () => {
  const fleet = [member('a', 'new'), member('b', 'old'), member('c', 'own'), member('d', 'else'), member('e', '')];
  expect(deployable(fleet, RULES).map(({ name, release, why }) => [name, release, why])).toEqual([
    ['b', '1.0.0', 'support ended on 2026-05-31'],
    ['d', undefined, 'no release has its wire format'],
    ['e', undefined, 'it names no wire format'],
    ['a', '1.1.0', undefined],
    ['c', 'this build', undefined],
  ]);
  expect(deployable([], RULES)).toEqual([]);
});
