import { describe, expect, test } from 'vitest';
import { sampleCommand } from '../../../test/harness/sample-commands.ts';
import type { Command } from './command.ts';
import { KIND_POLICIES, type Kind } from './kind.ts';
import { supersededKinds, supersedes } from './supersession.ts';

function command(kind: Kind, orderingKey: string, sequence: number, facts: Partial<Command> = {}): Command {
  return sampleCommand({ kind, orderingKey }, { sequence, ...facts });
}

describe('what a stop makes pointless', () => {
  const stopSession = command('stop_session', '/s1', 10);

  test.each<[string, Command, Command, boolean]>([
    ['its own start', command('stop_strategy', '/s1/a/X', 10), command('start_strategy', '/s1/a/X', 9), true],
    [
      'a start of another symbol',
      command('stop_strategy', '/s1/a/X', 10),
      command('start_strategy', '/s1/a/Y', 9),
      false,
    ],
    ['the starts of its session', stopSession, command('start_strategy', '/s1/a/X', 9), true],
    ['its session’s own start', stopSession, command('start_session', '/s1', 9), true],
    ['a start of a session that begins alike', stopSession, command('start_session', '/s10', 9), false],
    ['a start that was issued after it', stopSession, command('start_session', '/s1', 11), false],
    ['itself', stopSession, stopSession, false],
    ['an order that closes a position', stopSession, command('close_position', '/s1/a/X', 9), false],
    [
      'an entry of the session, which a stop leaves in its place',
      stopSession,
      command('open_position', '/s1/a/X', 9),
      false,
    ],
    ['a start of another executor', stopSession, command('start_session', '/s1', 9, { executorId: 'other' }), false],
    ['every entry, for the kill switch', command('stop_all', '/', 10), command('open_position', '/s1/a/X', 9), true],
    ['a resume, for the kill switch', command('stop_all', '/', 10), command('resume', '/s1', 9), true],
    ['an exit, for the kill switch', command('stop_all', '/', 10), command('close_position', '/s1/a/X', 9), false],
    ['a question, for the kill switch', command('stop_all', '/', 10), command('ping', '', 9), false],
  ])('%s', (_what, later, earlier, pointless) => {
    expect(supersedes(later, earlier)).toBe(pointless);
  });

  test('only entries are ever superseded, and only by exits', () => {
    for (const [kind, policy] of Object.entries(KIND_POLICIES)) {
      for (const superseded of policy.supersedes) {
        expect(KIND_POLICIES[superseded].entry).toBe(true);
        expect(policy.entry).toBe(false);
      }
      expect(supersededKinds(kind)).toEqual(policy.supersedes);
    }
  });

  test('the kill switch supersedes every entry there is', () => {
    const entries = Object.entries(KIND_POLICIES).flatMap(([kind, policy]) => (policy.entry ? [kind] : []));
    expect(supersededKinds('stop_all').toSorted()).toEqual(entries.toSorted());
  });

  test('a kind that this release does not know makes nothing pointless', () => {
    expect(supersededKinds('toString')).toEqual([]);
  });
});
