import { create, fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CommandResultSchema, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ExecutorEventSchema, HelloSchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { factOf, journalOf, plain } from './frames.ts';

const NOW_MS = 1_700_000_000_000;

function finished(value: object) {
  const event = create(ExecutorEventSchema, {
    commandId: 'c1',
    attempt: 2,
    age: { seconds: 1n, nanos: 500_000_000 },
    event: { case: 'finished', value },
  });
  const fact = factOf(event, NOW_MS);
  if (fact?.event.type !== 'finished') throw new Error('not a finished fact');
  return fact.event;
}

describe('factOf', () => {
  test('dates what happened by the age that the agent gives', () => {
    expect(finished({ state: CommandState.SUCCEEDED })).toMatchObject({
      atMs: NOW_MS - 1_500,
      attempt: 2,
      state: 'SUCCEEDED',
      result: null,
      error: null,
    });
  });

  test.each([CommandState.UNSPECIFIED, CommandState.RUNNING])(
    'takes the end %s, which is none, for an unknown outcome',
    (state) => {
      expect(finished({ state }).state).toBe('OUTCOME_UNKNOWN');
    },
  );

  test('keeps what Postgres cannot store out of texts', () => {
    const { error } = finished({
      state: CommandState.FAILED,
      error: { message: `a\0b${'x'.repeat(2_000)}`, hop: 'moon', metadata: { 'k\0': 'v\0' } },
    });
    expect(error).toMatchObject({ reason: 'ADAPTER_FAILED', hop: 'agent', metadata: { k: 'v' } });
    expect(error?.message).toMatch(/^abx+$/);
    expect(error?.message.length).toBe(1_000);
    expect(plain('two\nlines, \u001b[31mred')).toBe('two lines,  [31mred');
  });

  test('stores a sentence in place of a result that is too large', () => {
    const { result } = finished({
      state: CommandState.SUCCEEDED,
      result: { summary: 'done', payload: 'p'.repeat(100_000) },
    });
    const stored = fromBinary(CommandResultSchema, result ?? new Uint8Array());
    expect(stored.summary).toMatch(/^done \(the result of \d+ bytes is larger than 65536 and was left out\)$/);
    expect(stored.payload).toBe('');
  });

  test('gives nothing for an event whose case this build does not know', () => {
    expect(factOf(create(ExecutorEventSchema, { commandId: 'c1' }), NOW_MS)).toBeUndefined();
  });
});

test('journalOf reads what an agent holds', () => {
  const hello = create(HelloSchema, {
    journal: [
      { commandId: 'a', state: CommandState.RECEIVED },
      { commandId: 'b', state: CommandState.RUNNING },
      { commandId: 'c', state: CommandState.SUCCEEDED },
    ],
  });
  expect(journalOf(hello).map(({ stage }) => stage)).toEqual(['received', 'running', 'finished']);
});
