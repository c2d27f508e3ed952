import { describe, expect, test } from 'vitest';
import { sampleExecutor } from '../../../test/harness/sample-executors.ts';
import { sampleRefusal } from '../../../test/harness/sample-refusals.ts';
import type { Executor } from './executor.ts';
import { isCalling, isCurrent, REFUSAL_REASONS, remedyOf } from './refusal.ts';

const CONNECT_MS = Date.UTC(2024, 4, 6, 9, 0, 0);
const GONE_MS = CONNECT_MS + 60_000;
const GONE: Partial<Executor> = { connectMs: CONNECT_MS, disconnectMs: GONE_MS, online: false };

describe('a refusal is why an executor is not connected', () => {
  test.each<[string, boolean, Partial<Executor>, number]>([
    ['when it has never connected', true, { connectMs: null }, CONNECT_MS],
    ['when it came after the last stream', true, GONE, GONE_MS + 30_000],
    ['when the stream ended with it, and it was stored a moment earlier than the end', true, GONE, GONE_MS - 50],
    ['not when another agent was refused while this one was connected', false, GONE, GONE_MS - 30_000],
    ['not when the agent has been accepted since', false, GONE, CONNECT_MS - 1],
    [
      'not when the agent was accepted since, and lost right away',
      false,
      { ...GONE, disconnectMs: CONNECT_MS + 10 },
      CONNECT_MS - 1,
    ],
    ['not while it is connected', false, { connectMs: CONNECT_MS, online: true }, GONE_MS],
    [
      'when its replica died, and it was refused after that was heard of last',
      true,
      { connectMs: CONNECT_MS, disconnectMs: null, ownerSeenMs: GONE_MS, online: false },
      GONE_MS + 1_000,
    ],
    ['also of one that is disabled', true, { ...GONE, disableMs: GONE_MS }, GONE_MS + 10],
  ])('%s', (_, expected, executor, atMs) => {
    expect(isCurrent(sampleRefusal({ atMs }), sampleExecutor(executor))).toBe(expected);
  });
});

test('an agent that has not called for three minutes is not said to call', () => {
  const refusal = sampleRefusal({ atMs: GONE_MS });
  expect(isCalling(refusal, GONE_MS + 60_000)).toBe(true);
  expect(isCalling(refusal, GONE_MS + 180_000)).toBe(false);
});

test('every reason has something to do about it, one of a newer release too', () => {
  const remedies = REFUSAL_REASONS.map((reason) => remedyOf(sampleRefusal({ reason }), 'vps-7'));
  expect(remedies.filter((remedy) => remedy.length < 20)).toEqual([]);
  expect(remedyOf(sampleRefusal({ reason: 'CREDENTIAL_REVOKED' }), 'vps-7')).toContain(
    'strategos executor rotate vps-7 --out vps-7.json',
  );
  expect(remedyOf(sampleRefusal({ reason: 'NEVER_HEARD_OF' }), 'vps-7')).toBe('look at the log of its agent');
});
