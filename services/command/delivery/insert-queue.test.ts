import { expect, test } from 'vitest';
import { sampleId, sampleOrder } from '../../../test/harness/sample-commands.ts';
import { issue } from '../domain/issue.ts';
import type { NewCommand } from '../domain/repository.ts';
import { answer, InsertQueue, isStored } from './insert-queue.ts';

function rows(...numbers: readonly number[]): NewCommand[] {
  return numbers.map((number) => ({ ...issue(sampleOrder({ id: sampleId(number) }), 0), sent: null }));
}

test('a call is answered when all of its commands are, in its order, however they were taken', async () => {
  const queue = new InsertQueue();
  const one = queue.push(rows(1, 2, 3));
  const other = queue.push(rows(4));
  const taken = queue.take(2);
  const rest = queue.take(10);
  expect([taken.length, rest.length, queue.size]).toEqual([2, 2, 0]);
  const refused = new Error('the database refuses it');
  for (const pending of [...rest, ...taken].toReversed()) {
    const { command } = pending.row;
    answer(pending, command.id === sampleId(2) ? refused : command.id === sampleId(3) ? null : command);
  }
  const outcomes = await one;
  expect(outcomes.map((outcome) => (isStored(outcome) ? outcome.id : outcome))).toEqual([sampleId(1), refused, null]);
  expect((await other).map((outcome) => isStored(outcome))).toEqual([true]);
});

test('an answer that is given twice is the first one, and takes no place of another', async () => {
  const queue = new InsertQueue();
  const call = queue.push(rows(1, 2));
  const [first, second] = queue.take(2);
  if (first === undefined || second === undefined) throw new Error('two are wanted');
  answer(first, null);
  answer(first, first.row.command);
  answer(second, second.row.command);
  expect(await call).toEqual([null, second.row.command]);
});

test('a call without commands is answered at once', async () => {
  expect(await new InsertQueue().push([])).toEqual([]);
});
