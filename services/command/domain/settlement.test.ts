import { describe, expect, test } from 'vitest';
import { EVENTS, FILLED, FROM, type FromName } from '../../../test/harness/sample-lives.ts';
import { isSaidAlready, refusalToSettle } from './settlement.ts';

describe('the word of an operator', () => {
  test.each(['OUTCOME_UNKNOWN', 'unknown_after_receipt'] as const)('is taken for %s', (from) => {
    expect(refusalToSettle(FROM[from], EVENTS.seen)).toBeUndefined();
    expect(isSaidAlready(FROM[from], EVENTS.seen)).toBe(false);
  });

  test.each<[FromName, string]>([
    ['PENDING', 'is PENDING: it has not ended, and its agent may still answer'],
    ['RUNNING', 'is RUNNING: it has not ended, and its agent may still answer; wait for its end, or cancel it'],
    ['FAILED', 'is FAILED: its outcome is known, and there is nothing to settle'],
    ['SUCCEEDED', 'is SUCCEEDED: its outcome is known, and there is nothing to settle'],
    ['settled', 'is SUCCEEDED: a late answer of its agent has settled it, and stands'],
    ['settled_as_not_seen', 'is FAILED: alice has settled it otherwise, and that is final'],
  ])('is refused for %s, with the state and what to do', (from, words) => {
    const refusal = refusalToSettle(FROM[from], EVENTS.seen);
    expect(refusal).toMatchObject({ code: 'FailedPrecondition', reason: 'STATE_ILLEGAL' });
    expect(refusal?.message).toContain(words);
    expect(refusal?.metadata).toMatchObject({ state: FROM[from].state });
    expect(isSaidAlready(FROM[from], EVENTS.seen)).toBe(false);
  });

  test('is the same again with the same outcome and fills, whoever says it and however it is worded', () => {
    const again = { ...EVENTS.seen, by: 'bob', note: 'filled, as alice says', result: Uint8Array.from(FILLED) };
    expect(isSaidAlready(FROM.settled_as_seen, again)).toBe(true);
    expect(isSaidAlready(FROM.settled_as_not_seen, EVENTS.not_seen)).toBe(true);
  });

  test('with other fills is another word', () => {
    for (const result of [null, new Uint8Array([8])]) {
      const other = { ...EVENTS.seen, result };
      expect(isSaidAlready(FROM.settled_as_seen, other)).toBe(false);
      expect(refusalToSettle(FROM.settled_as_seen, other)?.message).toContain('alice has settled it with other fills');
    }
  });

  test('does not pass for one that the agent has said', () => {
    expect(isSaidAlready(FROM.settled, { ...EVENTS.seen, result: FROM.settled.result })).toBe(false);
  });
});
