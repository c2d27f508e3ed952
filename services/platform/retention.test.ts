import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';
import { Retention } from './retention.ts';

const failing = (): Promise<boolean> => Promise.reject(new Error('the statement is cancelled'));

test('a removal that fails in every round keeps those behind it from nothing', async () => {
  let left = 2;
  const behind = async (): Promise<boolean> => --left > 0;
  await using retention = new Retention(createLogger('test', 'silent'), [failing, behind]);
  await retention.removeOld();
  expect(left).toBe(0);
});
