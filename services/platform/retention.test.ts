import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';
import { Retention } from './retention.ts';

const failing = (): Promise<boolean> => Promise.reject(new Error('the statement is cancelled'));

test('a removal that fails in every round keeps those behind it from nothing', async () => {
  let left = 2;
  const behind = async (): Promise<boolean> => --left > 0;
  await using retention = new Retention(createLogger('test', 'silent'), () => [failing, behind]);
  await retention.removeOld();
  expect(left).toBe(0);
});

test('a round that does not learn which accounts there are has done what needs none, and the next one does the rest', async () => {
  const away = [true, false];
  const removed: string[] = [];
  const removes = (what: string) => async () => removed.push(what) < 0;
  await using retention = new Retention(createLogger('test', 'silent'), async function* () {
    yield removes('common');
    if (away.shift() === true) throw new Error('the database is away');
    yield removes('of an account');
  });
  await retention.removeOld();
  expect(removed).toEqual(['common']);
  await retention.removeOld();
  expect(removed).toEqual(['common', 'common', 'of an account']);
});
