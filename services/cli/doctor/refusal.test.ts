import { create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ExecutorSchema, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { refusalFindings } from './refusal.ts';

const NOW_MS = Date.UTC(2024, 0, 1, 12);
const MINUTE_MS = 60_000;
const OLD = { state: ExecutorState.ONLINE, connectTime: timestampFromMs(NOW_MS - 60 * MINUTE_MS) };

function verdictOf(
  known: { readonly state: ExecutorState; readonly connectTime?: Timestamp },
  atMs: number,
  current: boolean,
): string | undefined {
  const lastRefusal = {
    time: timestampFromMs(atMs),
    sinceTime: timestampFromMs(atMs),
    reason: ErrorReason.CREDENTIAL_REVOKED,
    credentialProven: true,
    current,
  };
  const executor = create(ExecutorSchema, { name: 'vps-1', ...known, lastRefusal });
  const [finding] = refusalFindings(executor, 1, NOW_MS);
  return finding?.verdict;
}

test.each([
  ['a fault when it is why nobody is connected, however long ago', ExecutorState.OFFLINE, 900, true, 'fault'],
  ['a fault of one that never connected', ExecutorState.NEVER_CONNECTED, 1, true, 'fault'],
  ['nothing when the executor is away for another cause', ExecutorState.OFFLINE, 1, false, undefined],
  ['a warning while the agent of a disabled one still calls', ExecutorState.DISABLED, 1, true, 'warning'],
  ['nothing when the agent of a disabled one has stopped', ExecutorState.DISABLED, 11, true, undefined],
] as const)('a refusal is %s', (_, state, minutesAgo, current, verdict) => {
  expect(verdictOf({ state }, NOW_MS - minutesAgo * MINUTE_MS, current)).toBe(verdict);
});

test('beside an agent that is connected it is a warning, for a while, and nothing once it was accepted', () => {
  expect(verdictOf(OLD, NOW_MS - MINUTE_MS, false)).toBe('warning');
  expect(verdictOf(OLD, NOW_MS - 11 * MINUTE_MS, false)).toBeUndefined();
  expect(verdictOf({ ...OLD, connectTime: timestampFromMs(NOW_MS) }, NOW_MS - MINUTE_MS, false)).toBeUndefined();
});

test('an executor that was never refused has no finding', () => {
  expect(refusalFindings(create(ExecutorSchema, { name: 'vps-1' }), 1, NOW_MS)).toEqual([]);
});
