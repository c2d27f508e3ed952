import { describe, expect, test } from 'vitest';
import { sampleCommand } from '../../../test/harness/sample-commands.ts';
import type { Command } from '../domain/command.ts';
import type { ChangedCommand } from '../domain/repository.ts';
import { ADVANCE_COLUMNS, advancesOnly, CHANGE_COLUMNS } from './write-columns.ts';

const before = sampleCommand();
const error = { reason: 'R', message: 'm', hop: 'agent', retryable: true, metadata: { a: 'b' } } as const;

/** Each field of a command with another value than before. */
const CHANGES: readonly (readonly [keyof Command, Command])[] = [
  ['attempt', { ...before, attempt: 1 }],
  ['failures', { ...before, failures: 1 }],
  ['resends', { ...before, resends: 1 }],
  ['streamEpoch', { ...before, streamEpoch: 7 }],
  ['journalId', { ...before, journalId: 'j' }],
  ['sentMs', { ...before, sentMs: 1 }],
  ['progressMs', { ...before, progressMs: 1 }],
  ['cancelRequestMs', { ...before, cancelRequestMs: 1 }],
  ['settleMs', { ...before, settleMs: 1 }],
  ['retryMs', { ...before, retryMs: 1 }],
  ['error', { ...before, error }],
  ['progress', { ...before, progress: new Uint8Array([1]) }],
  ['note', { ...before, note: 'n' }],
  ['unsettled', { ...before, unsettled: true }],
  ['settledBy', { ...before, settledBy: 'anna' }],
  ['state', { ...before, state: 'SUCCEEDED' }],
  ['version', { ...before, version: 2 }],
  ['receivedMs', { ...before, receivedMs: 1 }],
  ['startMs', { ...before, startMs: 1 }],
  ['finishMs', { ...before, finishMs: 1 }],
  ['dueMs', { ...before, dueMs: 1 }],
  ['result', { ...before, result: new Uint8Array([1]) }],
];

const rowOf = (command: Command): ChangedCommand => ({ command, before, steps: [], fenceEpoch: 0 });

/** Names of the columns that a change of the command changes. */
function changedColumns(command: Command): string[] {
  return CHANGE_COLUMNS.flatMap((column) => {
    if ('stepsOf' in column) return [];
    return column.of(rowOf(command)) === column.of(rowOf(before)) ? [] : [column.name];
  });
}

describe('a change is written with the few columns', () => {
  const few = new Set(ADVANCE_COLUMNS.map(({ name }) => name));

  test.each(CHANGES)('only if all that it changes is among them: %s', (_, command) => {
    const columns = changedColumns(command);
    expect(columns).not.toEqual([]);
    expect(advancesOnly(rowOf(command))).toBe(columns.every((name) => few.has(name)));
  });

  test('and no column is left out above', () => {
    const beside = ['id', 'executor_id', 'from_version', 'steps', 'milestone'];
    const named = new Set(CHANGES.flatMap(([, command]) => changedColumns(command)));
    expect([...named, ...beside].toSorted()).toEqual(CHANGE_COLUMNS.map(({ name }) => name).toSorted());
  });
});
