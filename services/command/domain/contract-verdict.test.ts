import { expect, test } from 'vitest';
import { judgeContract } from './contract-verdict.ts';

const RELEASES = [
  { version: '1.0.0', digest: 'one', supportedUntil: '2028-11-21' },
  { version: '1.0.1', digest: 'one', supportedUntil: '2028-12-01' },
  { version: '0.9.0', digest: 'old', supportedUntil: '2026-01-31' },
];
const RULES = { ownDigest: 'own', supported: RELEASES };
const NOW_MS = Date.parse('2026-11-21T12:00:00Z');

test.each([
  ['own', 'CURRENT', null],
  ['one', 'SUPPORTED', '2028-12-02T00:00:00Z'],
  ['old', 'ENDED', '2026-02-01T00:00:00Z'],
  ['never seen', 'UNKNOWN', null],
  ['', 'UNSPECIFIED', null],
])('digest "%s" is %s', (digest, verdict, until) => {
  const untilMs = until === null ? null : Date.parse(until);
  expect(judgeContract(digest, RULES, NOW_MS)).toEqual({ verdict, untilMs });
});

test('a release is supported to the end of its last day', () => {
  const lastMs = Date.parse('2026-01-31T23:59:59.999Z');
  expect(judgeContract('old', RULES, lastMs).verdict).toBe('SUPPORTED');
  expect(judgeContract('old', RULES, lastMs + 1).verdict).toBe('ENDED');
});
